import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { outputFailed } from '../base/disk';
import { describeError } from '../base/errors';
import type { Journal } from '../base/journal';
import { text } from '../dicom/attributes';
import { REASON_TEXTS } from '../finding/wording';
import { analyseFile, openFile, type OpenedFile } from '../pipeline/film-file';
import { resultOf } from '../pipeline/notify';
import type { Pipeline } from '../pipeline/pipeline';
import type { FilmOutcome } from '../pipeline/stage';
import { factsOf } from './header-facts';
import type { FilmRecord } from './journal';

/** A film that could not be analysed and has no journal line: it is tried again in the next run. */
export interface Failure {
  readonly file: string;
  readonly why: string;
}

/** One set of models, and its journal. */
export interface FilmRun {
  readonly pipeline: Pipeline;
  readonly journal: Journal<FilmRecord>;
}

export interface RunPorts {
  /** The analyses of each film: one, or two that are compared. */
  readonly runs: readonly FilmRun[];
  /** Whether patients have to be read from the headers. */
  readonly wantsPatients: boolean;
  /** Called before the first film with the number of films to analyse, then after each film. */
  readonly onStart?: (left: number) => void;
  readonly onFilm?: () => void;
}

export interface RunResult {
  /** Records of each run, by file. */
  readonly records: readonly ReadonlyMap<string, FilmRecord>[];
  readonly failures: readonly Failure[];
  /**
   * Digest of the Patient ID in each header that has one, by file: films of a patient belong together. It is kept in
   * memory only: from digests in a file, Patient IDs could be found by trial.
   */
  readonly patients: ReadonlyMap<string, string>;
}

interface PendingFilm {
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
  readonly modified: number;
  /** Runs that have no record of it yet. */
  readonly lacking: readonly FilmRun[];
}

/**
 * Analyses each file that a journal lacks, one after the other; the file is read once for all runs that lack it. A bad
 * file does not stop the others.
 * @throws HilumError OUTPUT_FAILED where a journal can't be written
 */
export async function analyseFiles(folder: string, files: readonly string[], ports: RunPorts): Promise<RunResult> {
  const { runs, onStart, onFilm } = ports;
  const failures: Failure[] = [];
  const pending: PendingFilm[] = [];
  const found: Found = { records: runs.map(() => new Map<string, FilmRecord>()), patients: new Map() };
  for (const file of files) {
    const path = inside(folder, file);
    const state = path === null ? null : await stat(path).catch(() => null);
    if (path === null || state === null || !state.isFile()) {
      failures.push({ file, why: path === null ? OUTSIDE : NOT_THERE });
      continue;
    }
    const film = { file, path, bytes: state.size, modified: Math.round(state.mtimeMs) };
    const lacking = await takeKnown(film, ports, found);
    if (lacking.length > 0) pending.push({ ...film, lacking });
  }
  onStart?.(pending.length);
  for (const film of pending) {
    const why = await analyseAnew(film, ports, found);
    if (why !== null) failures.push({ file: film.file, why });
    onFilm?.();
  }
  return { ...found, failures };
}

/** Reasons why a row of the labels file has no film. */
export const [OUTSIDE, NOT_THERE] = ['outside the folder of films', 'no such file'];

interface Found {
  readonly records: Map<string, FilmRecord>[];
  readonly patients: Map<string, string>;
}

/** Takes the journals' records of a film; resolves to the runs that lack one. */
async function takeKnown(film: Omit<PendingFilm, 'lacking'>, ports: RunPorts, found: Found): Promise<FilmRun[]> {
  const lacking: FilmRun[] = [];
  for (const [at, run] of ports.runs.entries()) {
    const known = run.journal.known.get(film.file);
    if (known !== undefined && (await isUnchanged(film, known))) found.records[at]!.set(film.file, known);
    else lacking.push(run);
  }
  // Otherwise the header is read anyway.
  if (lacking.length === 0 && ports.wantsPatients && found.records[0]!.get(film.file)!.kind === 'dicom') {
    const bytes = await readFile(film.path).catch(() => null);
    if (bytes !== null) takePatient(film.file, await openFile(bytes, ports.runs[0]!.pipeline), found);
  }
  return lacking;
}

/** Null, or the reason why it could not be analysed. */
async function analyseAnew(film: PendingFilm, { runs }: RunPorts, found: Found): Promise<string | null> {
  const { path, lacking, ...about } = film;
  const bytes = await readFile(path).catch((error: unknown) => describeError(error));
  if (typeof bytes === 'string') return bytes;
  for (const [at, run] of runs.entries()) {
    if (!lacking.includes(run)) continue;
    const done = await analyseFilmFile(bytes, run.pipeline).catch((error: unknown) => describeError(error));
    if (typeof done === 'string') return done;
    takePatient(film.file, done.opened, found);
    const record = { ...about, ...done.record };
    await run.journal.add(record).catch((error: unknown) => {
      throw outputFailed(run.journal.path, error);
    });
    found.records[at]!.set(film.file, record);
  }
  return null;
}

function takePatient(file: string, { header }: OpenedFile, { patients }: Found): void {
  const id = text(header, 'PatientID');
  if (id !== undefined) patients.set(file, createHash('sha256').update(`patient ${id}`).digest('hex').slice(0, 16));
}

/** Whether the bytes are the same though the date is another, as after a copy. */
async function isUnchanged(
  { path, bytes, modified }: Omit<PendingFilm, 'lacking'>,
  known: FilmRecord,
): Promise<boolean> {
  if (known.bytes !== bytes) return false;
  if (known.modified === modified) return true;
  const content = await readFile(path).catch(() => null);
  return content !== null && sha256Of(content) === known.sha256;
}

/** Null where the path leads out of the folder. */
export function inside(folder: string, file: string): string | null {
  const path = resolve(folder, file.replaceAll('\\', '/'));
  const way = relative(resolve(folder), path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) ? null : path;
}

/** Runs the pipeline on one file. @throws errors that are not about the film */
export async function analyseFilmFile(
  bytes: Uint8Array,
  pipeline: Pipeline,
): Promise<{
  readonly opened: OpenedFile;
  readonly outcome: FilmOutcome;
  readonly record: Omit<FilmRecord, 'file' | 'bytes' | 'modified'>;
}> {
  const opened = await openFile(bytes, pipeline);
  const outcome = await analyseFile(opened, pipeline);
  const { kind, header } = opened;
  return {
    opened,
    outcome,
    record: { kind, sha256: sha256Of(bytes), ...described(outcome), facts: factsOf(header) },
  };
}

function described(
  outcome: FilmOutcome,
): Pick<FilmRecord, 'outcome' | 'reason' | 'reasonText' | 'view' | 'probabilities' | 'lungFraction'> {
  if (outcome.outcome === 'rejected')
    return {
      outcome: 'rejected',
      reason: outcome.refusal.reason,
      reasonText: REASON_TEXTS[outcome.refusal.reason],
      view: null,
      probabilities: {},
      lungFraction: null,
    };
  const { reason, reasonText, view, findings, lungFraction } = resultOf(outcome.sopInstanceUid, outcome, []);
  const probabilities = Object.fromEntries(findings.map(({ label, probability }) => [label, probability]));
  return { outcome: outcome.outcome, reason, reasonText, view, probabilities, lungFraction };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
