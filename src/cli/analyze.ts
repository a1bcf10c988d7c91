import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileResult } from '../app/analyze-files';
import { RESEARCH_USE } from '../finding/wording';
import { HilumCommand, note, print } from './command';
import { progressBar } from './progress';

interface AnalyzeOptions {
  readonly out: string;
  readonly json?: boolean;
  readonly models?: string;
  readonly config?: string;
}

export const analyze = new HilumCommand('analyze', 'analyses DICOM files or folders without any server')
  .description(
    'Analyses DICOM files or folders without any server. The results of each film go to a folder of its SOP Instance UID. Ends with 1 when a file could not be read; the others are still done.',
  )
  .argument('<PATH...>', 'DICOM files or folders')
  .requiredOption('--out <DIR>', 'where heat maps and reports go')
  .option('--json', 'one JSON line per file')
  .option('--models <DIR>', 'another folder of models')
  .option('--config <FILE>', 'the models, the operating point and the objects of this configuration')
  .example(
    'hilum analyze FILM.dcm FOLDER --out results',
    'hilum analyze FOLDER --out results --json > results.jsonl',
    'hilum analyze FILM.dcm --out results --config /etc/hilum/hilum.yaml',
  )
  .does(async (paths: string[], { out, json = false, models, config }: AnalyzeOptions) => {
    const files = (await Promise.all(paths.map(listFiles))).flat();
    if (files.length === 0) {
      note('no file to analyse: name DICOM files or folders');
      return 1;
    }
    const { openFileAnalysis } = await import('../app/analyze-files.js');
    const analysis = await openFileAnalysis({ out, models, config }, note);
    const progress = progressBar(files.length);
    let unreadable = 0;
    for (const file of files) {
      const result = await analysis.analyze(file);
      if (result.outcome === 'rejected' && result.reason?.startsWith('unreadable')) unreadable++;
      progress.clear();
      print(json ? JSON.stringify(result) : describe(result));
      progress.advance();
    }
    await analysis.close();
    progress.clear();
    if (unreadable > 0) note(`${unreadable} of ${files.length} files could not be read`);
    return unreadable > 0 ? 1 : 0;
  });

function describe(result: FileResult): string {
  const told =
    result.outcome === 'analysed'
      ? `${result.view}, probability ${((result.probability ?? 0) * 100).toFixed(1)} %, ${RESEARCH_USE.short}`
      : result.reason;
  return `${result.file}: ${result.outcome}: ${told}`;
}

/** The files below a path, sorted, so that two runs do the same in the same order. */
async function listFiles(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || !info.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
