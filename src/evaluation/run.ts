import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { describeError } from '../base/errors';
import { type Attributes, text } from '../dicom/attributes';
import { REASON_TEXTS } from '../finding/wording';
import { refusalOf } from '../pipeline/decode';
import { resultOf } from '../pipeline/notify';
import { analyseFilm, analysePixels, type Line } from '../pipeline/pipeline';
import type { FilmOutcome } from '../pipeline/stage';
import { factsOf } from './header-facts';
import type { FilmRecord, Journal } from './journal';
import { type FileKind, kindOf, openPicture } from './picture';

/** A film that has no line in the journal: it is tried again at the next run. */
export interface Failure {
  readonly file: string;
  readonly why: string;
}

export interface RunPorts {
  readonly line: Line;
  readonly journal: Journal;
  /** Told before the first film with the number of those that are left to do, then after each. */
  readonly onStart?: (left: number) => void;
  readonly onFilm?: () => void;
}

/**
 * Analyses each file that the journal does not have yet, one after the other. One bad file does not hold up the others.
 */
export async function analyseFiles(
  folder: string,
  files: readonly string[],
  { line, journal, onStart, onFilm }: RunPorts,
): Promise<{ records: ReadonlyMap<string, FilmRecord>; failures: Failure[] }> {
  const records = new Map<string, FilmRecord>();
  const failures: Failure[] = [];
  const pending: { file: string; path: string; bytes: number; modified: number }[] = [];
  for (const file of files) {
    const path = inside(folder, file);
    const found = path === null ? null : await stat(path).catch(() => null);
    if (path === null || found === null || !found.isFile()) {
      failures.push({ file, why: path === null ? 'outside the folder of films' : 'no such file' });
      continue;
    }
    const known = journal.known.get(file);
    const state = { bytes: found.size, modified: Math.round(found.mtimeMs) };
    if (known?.bytes === state.bytes && (known.modified === state.modified || (await isUnchanged(path, known))))
      records.set(file, known);
    else pending.push({ file, path, ...state });
  }
  onStart?.(pending.length);
  for (const { path, ...about } of pending) {
    const found = await analyseFile(path, line).catch((error: unknown) => describeError(error));
    if (typeof found === 'string') failures.push({ file: about.file, why: found });
    else {
      const record = { ...about, ...found.record };
      await journal.add(record);
      records.set(record.file, record);
    }
    onFilm?.();
  }
  return { records, failures };
}

/** Copied or restored: another date, the same bytes. */
async function isUnchanged(path: string, known: FilmRecord): Promise<boolean> {
  const bytes = await readFile(path).catch(() => null);
  return bytes !== null && sha256Of(bytes) === known.sha256;
}

/** Null when the name leads out of the folder. */
export function inside(folder: string, file: string): string | null {
  const path = resolve(folder, file.replaceAll('\\', '/'));
  const way = relative(resolve(folder), path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) ? null : path;
}

/**
 * The shipped pipeline on one file: a DICOM file from its header on, a picture from its pixels on. @throws what is no
 * word about the film.
 */
export async function analyseFile(
  path: string,
  line: Line,
): Promise<{ outcome: FilmOutcome; record: Omit<FilmRecord, 'file' | 'bytes' | 'modified'> }> {
  const bytes = await readFile(path);
  const kind = kindOf(bytes);
  const outcome = kind === 'dicom' ? await analyseFilm(bytes, line) : await analysePicture(bytes, kind, line);
  const attributes = kind === 'dicom' ? attributesOf(outcome) : {};
  return {
    outcome,
    record: {
      kind,
      sha256: sha256Of(bytes),
      ...described(outcome),
      patient: patientDigest(attributes),
      facts: factsOf(attributes),
    },
  };
}

async function analysePicture(bytes: Uint8Array, kind: Exclude<FileKind, 'dicom'>, line: Line): Promise<FilmOutcome> {
  try {
    return await analysePixels(openPicture(bytes, kind), line);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return { outcome: 'rejected', sopInstanceUid: null, refusal };
  }
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

function attributesOf(outcome: FilmOutcome): Attributes {
  switch (outcome.outcome) {
    case 'analysed':
      return outcome.explained.inferred.preprocessed.decoded.attributes;
    case 'not-analysed':
      return outcome.attributes;
    case 'rejected':
      return {};
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function patientDigest(attributes: Attributes): string | null {
  const id = text(attributes, 'PatientID');
  return id === undefined ? null : createHash('sha256').update(`patient ${id}`).digest('hex').slice(0, 16);
}
