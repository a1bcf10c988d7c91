import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { FileAnalysis, FileResult, GivenFile } from '../app/analyze-files';
import { HilumError } from '../base/errors';
import { percentOf, RESEARCH_USE } from '../finding/wording';
import { HilumCommand, note, OUTPUT_FAILED, print, UsageError } from './command';
import { progressBar } from './progress';

interface AnalyzeOptions {
  readonly out: string;
  readonly json?: boolean;
  readonly csv?: string;
  readonly again?: boolean;
  readonly models?: string;
  readonly config?: string;
}

export const analyze = new HilumCommand('analyze', 'analyses DICOM files, PNG and JPEG without any server')
  .description(
    'Analyses DICOM files, PNG and JPEG without any server. The results of each film go to a folder of its SOP ' +
      'Instance UID, the heat map of a PNG or JPEG to a folder of its content. Stopped and started again, it goes on ' +
      'where it was. Ends with 1 when a file could not be read, with 3 when results could not be written.',
  )
  .argument('<PATH...>', 'DICOM, PNG or JPEG files, or folders')
  .requiredOption('--out <DIR>', 'where heat maps and reports go')
  .option('--csv <FILE>', 'a table with a row for each file')
  .option('--json', 'one JSON line per file')
  .option('--again', 'also what was done before, with the same models and settings')
  .option('--models <DIR>', 'another folder of models')
  .option('--config <FILE>', 'the models, the operating point and the objects of this configuration')
  .example(
    'hilum analyze FILM.dcm FOLDER --out results',
    'hilum analyze FOLDER --out results --csv results.csv',
    'hilum analyze FOLDER --out results --json > results.jsonl',
    'hilum analyze FILM.dcm --out results --config /etc/hilum/hilum.yaml',
  )
  .does(async (paths: string[], options: AnalyzeOptions) => {
    const { out, csv } = options;
    const { isJournal, openFileAnalysis } = await import('../app/analyze-files.js');
    const found = await listFiles(paths);
    if (typeof found === 'string') {
      note(found);
      return 1;
    }
    const own = csv === undefined ? null : resolve(csv);
    const files = found.filter(({ file, isNamed }) => isNamed || (resolve(file) !== own && !isJournal(file)));
    if (csv !== undefined) await requireFile(csv);
    return run(await openFileAnalysis({ ...options, out, files }, note), files, options);
  });

/**
 * Analyses one file after the other. The results written at the end cover the files that were done, also after a
 * failure.
 */
async function run(
  analysis: FileAnalysis,
  files: readonly GivenFile[],
  { json = false, csv }: AnalyzeOptions,
): Promise<number> {
  const { resultsCsv, STATE_WORDS, stateOf, tallyOf, tallyText } = await import('../app/file-results.js');
  const progress = progressBar(files.length);
  const results: FileResult[] = [];
  let [kept, ownResults] = [0, 0];
  try {
    for (const given of files) {
      const work = await analysis.analyze(given);
      progress.clear();
      if (work === null) ownResults++;
      else {
        results.push(work.result);
        if (work.isKept) kept++;
        print(json ? JSON.stringify(work.result) : describe(work.result, STATE_WORDS[stateOf(work.result)]));
      }
      progress.advance();
    }
    if (csv !== undefined)
      await (await import('../base/disk.js')).writeOutput(csv, resultsCsv(results, analysis.labels));
  } catch (error) {
    if (!(error instanceof HilumError) || error.code !== 'OUTPUT_FAILED') throw error;
    progress.clear();
    note(error.message);
    note(`ended after ${results.length} of ${files.length} files: the same command goes on from there`);
    return OUTPUT_FAILED;
  } finally {
    await analysis.close();
  }
  progress.clear();
  note(tallyText(tallyOf(results, kept, ownResults)));
  return results.some((result) => ['unreadable', 'failed'].includes(stateOf(result))) ? 1 : 0;
}

/** Tries to write a table's file before the analysis, which may take hours. */
async function requireFile(path: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isDirectory())
    throw new UsageError(`--csv is a file, and ${path} is a folder`);
  await (await import('../base/disk.js')).requireWritable(dirname(path));
}

function describe(result: FileResult, state: string): string {
  const { file, outcome, view, probability, reason } = result;
  const said = probability === null ? 'findings in shadow only, no result' : `probability ${percentOf(probability)} %`;
  const told = outcome === 'analysed' ? `${view}, ${said}, ${RESEARCH_USE.short}` : reason;
  return `${file}: ${state}: ${told}`;
}

/** The files of all paths, or a sentence about the first path that can't be used. */
async function listFiles(paths: readonly string[]): Promise<GivenFile[] | string> {
  const all: GivenFile[] = [];
  for (const path of paths) {
    const files = await filesAt(path).catch((error: unknown) => sentence(path, error));
    if (typeof files === 'string') return files;
    all.push(...files);
  }
  // A film may be given by name and lie in a given folder too.
  const first = new Map<string, GivenFile>();
  for (const given of all) if (!first.has(resolve(given.file))) first.set(resolve(given.file), given);
  return [...first.values()];
}

function sentence(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'no code';
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no file or folder ${path}`;
  const why = code === 'EACCES' ? 'this account has no right to' : 'the system refuses it';
  return `${path} can't be looked at: ${why} (${code})`;
}

/** The files at or below a path, sorted, so that two runs have the same order. */
async function filesAt(path: string): Promise<GivenFile[] | string> {
  if (!(await stat(path)).isDirectory()) return [{ file: path, isNamed: true }];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  const files: string[] = [];
  for (const entry of entries) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(file)))) files.push(file);
  }
  if (files.length === 0) return `the folder ${path} holds no file`;
  return files.sort().map((file) => ({ file, isNamed: false }));
}

const isFile = async (path: string) => (await stat(path).catch(() => null))?.isFile() === true;
