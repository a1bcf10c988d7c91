import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLine } from '../app/line';
import { describeError } from '../base/errors';
import { configSchema } from '../config/config';
import type { EncodedObject } from '../dicom/part10';
import type { FilmResult } from '../events/result-event';
import { RESEARCH_USE } from '../finding/wording';
import { RESULT_OBJECTS, SOP_CLASSES } from '../objects/sop-classes';
import { encode } from '../pipeline/encode';
import { resultOf } from '../pipeline/notify';
import { analyseFilm, type Line } from '../pipeline/pipeline';
import type { FilmOutcome } from '../pipeline/stage';
import { modelsOfFolder } from './models-of-folder';
import { progressBar } from './progress';

/** One line of `--json`. */
export interface FileResult extends Pick<FilmResult, 'outcome' | 'view' | 'probability' | 'lungFraction'> {
  readonly file: string;
  readonly sopInstanceUid: string | null;
  readonly reason: string | null;
  /** Files written. */
  readonly outputs: readonly string[];
  readonly models: readonly { readonly id: string; readonly version: string }[];
}

/**
 * The pipeline on files, without any server: the results of each film go to `out`/<SOP Instance UID>/.
 * Resolves to the exit status: 1 when a file could not be read at all; the others are still done.
 */
export async function analyze(options: {
  paths: readonly string[];
  out: string;
  json: boolean;
  models?: string | undefined;
}): Promise<number> {
  const files = (await Promise.all(options.paths.map(listFiles))).flat();
  if (files.length === 0) throw new RangeError('no file to analyse: name DICOM files or folders');
  const line = await openLine(
    modelsOfFolder(options.models, (text) => void process.stderr.write(`hilum: ${text}\n`)),
    configSchema.shape.results.parse({}),
  );
  const progress = progressBar(files.length);
  let unreadable = 0;
  for (const file of files) {
    const result = await analyzeFile(file, options.out, line);
    if (result.outcome === 'rejected' && result.reason?.startsWith('unreadable')) unreadable++;
    progress.clear();
    process.stdout.write(`${options.json ? JSON.stringify(result) : describe(result)}\n`);
    progress.advance();
  }
  await line.reader.close();
  progress.clear();
  if (unreadable > 0) process.stderr.write(`hilum: ${unreadable} of ${files.length} files could not be read\n`);
  return unreadable > 0 ? 1 : 0;
}

/** Never throws: one bad file must not keep the others from being done. */
async function analyzeFile(file: string, out: string, line: Line): Promise<FileResult> {
  const identity = line.identity();
  const models = identity.models.map(({ id, version }) => ({ id, version }));
  const rejected = (reason: string): FileResult => ({
    file,
    sopInstanceUid: null,
    outcome: 'rejected',
    reason,
    view: null,
    probability: null,
    lungFraction: null,
    outputs: [],
    models,
  });
  try {
    const outcome = await analyseFilm(await readFile(file), line);
    const { sopInstanceUid } = outcome;
    if (sopInstanceUid === null) return rejected(reasonOf(outcome) ?? 'unreadable');
    const objects = encode(outcome, identity);
    const outputs = await write(objects, join(out, sopInstanceUid));
    const { view, probability, lungFraction } = resultOf(sopInstanceUid, outcome, objects);
    return {
      file,
      sopInstanceUid,
      outcome: outcome.outcome,
      reason: reasonOf(outcome),
      view,
      probability,
      lungFraction,
      outputs,
      models,
    };
  } catch (error) {
    return rejected(`unreadable: ${describeError(error)}`);
  }
}

function reasonOf(outcome: FilmOutcome): string | null {
  return outcome.outcome === 'analysed' ? null : `${outcome.refusal.reason}: ${outcome.refusal.text}`;
}

const FILE_NAMES: ReadonlyMap<string, string> = new Map(
  RESULT_OBJECTS.map((object) => [
    SOP_CLASSES[object],
    object.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
);

async function write(objects: readonly EncodedObject[], folder: string): Promise<string[]> {
  if (objects.length > 0) await mkdir(folder, { recursive: true });
  return Promise.all(
    objects.map(async ({ sopClassUid, sopInstanceUid, bytes }) => {
      const path = join(folder, `${FILE_NAMES.get(sopClassUid) ?? 'report'}-${sopInstanceUid}.dcm`);
      await writeFile(path, bytes);
      return path;
    }),
  );
}

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
