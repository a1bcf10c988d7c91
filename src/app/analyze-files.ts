import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_MODE } from '../base/atomic-file';
import { describeError } from '../base/errors';
import type { EncodedObject } from '../dicom/part10';
import type { FilmResult } from '../events/result-event';
import { RESULT_OBJECTS, SOP_CLASSES } from '../objects/sop-classes';
import { type AnalysisIdentity, encode } from '../pipeline/encode';
import { resultOf } from '../pipeline/notify';
import { analyseFilm, type Line } from '../pipeline/pipeline';
import type { FilmOutcome } from '../pipeline/stage';
import { openLineForFiles } from './line';

/** One line of `hilum analyze --json`. */
export interface FileResult extends Pick<FilmResult, 'outcome' | 'view' | 'probability' | 'lungFraction'> {
  readonly file: string;
  readonly sopInstanceUid: string | null;
  readonly reason: string | null;
  /** Files written. */
  readonly outputs: readonly string[];
  readonly models: readonly { readonly id: string; readonly version: string }[];
}

export interface FileAnalysis {
  /** Never throws: one bad file must not keep the others from being done. */
  analyze(file: string): Promise<FileResult>;
  close(): Promise<void>;
}

/**
 * The pipeline on files, without any server: the results of each film go to `out`/<SOP Instance UID>/.
 * @param models another folder of models
 * @param config whose models, operating point and objects are used; undefined for those that come with Hilum
 * @param note told which models of that folder do not run
 */
export async function openFileAnalysis(
  { out, models, config }: { out: string; models: string | undefined; config?: string | undefined },
  note: (text: string) => void,
): Promise<FileAnalysis> {
  // Loaded only where it is asked for: with it come all rooms that have settings.
  const read = config === undefined ? null : (await import('../config/config.js')).readConfig(config);
  const line = await openLineForFiles(read, models, note);
  return { analyze: (file) => analyzeFile(file, out, line), close: () => line.reader.close() };
}

async function analyzeFile(file: string, out: string, line: Line): Promise<FileResult> {
  const identity = line.identity();
  const rejected = (reason: string): FileResult => ({
    file,
    sopInstanceUid: null,
    outcome: 'rejected',
    reason,
    view: null,
    probability: null,
    lungFraction: null,
    outputs: [],
    models: modelsOf(identity),
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
      models: modelsOf(identity),
    };
  } catch (error) {
    return rejected(`unreadable: ${describeError(error)}`);
  }
}

const modelsOf = ({ models }: AnalysisIdentity) => models.map(({ id, version }) => ({ id, version }));

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
      await writeFile(path, bytes, { mode: PRIVATE_MODE });
      return path;
    }),
  );
}
