import { createHash } from 'node:crypto';
import { readFile, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PRIVATE_MODE, writeAtomically } from '../base/atomic-file';
import { outputFailed } from '../base/disk';
import { describeError } from '../base/errors';
import { text } from '../dicom/attributes';
import { priorityOf } from '../finding/finding';
import { isOwnResult } from '../objects/own-result';
import { RESULT_OBJECTS, SOP_CLASSES } from '../objects/sop-classes';
import { drawHeatMap, withOutlines } from '../pipeline/draw';
import { encode } from '../pipeline/encode';
import { analyseFile, openFile } from '../pipeline/film-file';
import { resultOf } from '../pipeline/notify';
import type { FileKind } from '../pipeline/picture-file';
import { pictureToPng } from '../pipeline/picture-png';
import type { Pipeline } from '../pipeline/pipeline';
import { rejectedFilm } from '../pipeline/rejections';
import type { FilmOutcome } from '../pipeline/stage';
import type { FileResult } from './file-results';
import { rejectionOf, type RejectedFilms } from './rejection-files';

/** A file to analyse; `isNamed`: it was given on the command line, not found in a folder. */
export interface GivenFile {
  readonly file: string;
  readonly isNamed: boolean;
}

/** A result file: its path below the folder of results, and its content. */
interface Output {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Size, date and digest of a file when it was analysed, to see whether it has changed. */
export interface FileStamp {
  readonly bytes: number;
  readonly modified: number;
  readonly sha256: string;
  /** Study Instance UID. */
  readonly study: string | null;
}

type Told = Omit<FileResult, 'file' | 'models' | 'seconds' | 'outputs'>;

export interface WorkedFile {
  readonly stamp: FileStamp;
  readonly told: Told;
  readonly outputs: readonly Output[];
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Analyses one file; null for a file of a folder that Hilum wrote itself. Never throws: an error becomes the file's
 * result.
 */
export async function workOnFile(
  { file, isNamed }: GivenFile,
  pipeline: Pipeline,
  rejections: RejectedFilms,
): Promise<WorkedFile | null> {
  let stamp: FileStamp = { bytes: 0, modified: 0, sha256: '', study: null };
  try {
    const [bytes, found] = [await readFile(file), await stat(file)];
    stamp = { ...stamp, bytes: bytes.length, modified: Math.round(found.mtimeMs), sha256: sha256Of(bytes) };
    const opened = await openFile(bytes, pipeline);
    if (!isNamed && isOwnResult(opened.header)) return null;
    stamp = { ...stamp, study: text(opened.header, 'StudyInstanceUID') ?? null };
    const film = 'outcome' in opened.source ? null : opened.source.sopInstanceUid;
    const rejection = rejectionOf(stamp.study, film, rejections);
    const analysed = rejection === null ? await analyseFile(opened, pipeline) : rejectedFilm(rejection);
    const outcome = !isNamed && isUnreadable(analysed) && isOtherFile(file, bytes) ? OTHER_FILE : analysed;
    const told = { ...described(outcome, opened.kind), ...(rejection === null ? {} : { sopInstanceUid: film }) };
    return { stamp, told, outputs: outputsOf(opened.kind, outcome, stamp.sha256, pipeline) };
  } catch (error) {
    const reason = `${stamp.sha256 === '' ? 'unreadable' : 'failed'}: ${describeError(error)}`;
    return { stamp, told: { ...NOTHING, kind: 'dicom', outcome: 'rejected', reason }, outputs: [] };
  }
}

const NOTHING = {
  sopInstanceUid: null,
  view: null,
  probability: null,
  lungFraction: null,
  findings: [],
  urgent: false,
};

const OTHER_FILE: FilmOutcome = {
  outcome: 'rejected',
  sopInstanceUid: null,
  refusal: { reason: 'no-image', text: 'the file is no DICOM, PNG or JPEG file' },
};

const isUnreadable = (outcome: FilmOutcome) =>
  outcome.outcome === 'rejected' && outcome.refusal.reason === 'unreadable';

/** File name endings of films. Digits alone are the last part of a UID. */
const FILM_ENDING = /\.(dcm|dicom|dic|ima|png|jpe?g|\d+)$/i;

/**
 * Whether a file that can't be read is no film at all: found in a folder, not given on the command line, and of no
 * film's ending.
 */
function isOtherFile(file: string, bytes: Uint8Array): boolean {
  const name = basename(file);
  // The index of a medium always has this name (PS3.10 section 8.6).
  if (name.toUpperCase() === 'DICOMDIR') return true;
  if (Buffer.from(bytes.subarray(128, 132)).toString('latin1') === 'DICM') return false;
  return name.startsWith('.') || (/\.\w+$/.test(name) && !FILM_ENDING.test(name));
}

function described(outcome: FilmOutcome, kind: FileKind): Told {
  const reason = outcome.outcome === 'analysed' ? null : `${outcome.refusal.reason}: ${outcome.refusal.text}`;
  const uid = outcome.sopInstanceUid;
  if (uid === null) return { ...NOTHING, kind, outcome: outcome.outcome, reason };
  const { view, probability, lungFraction, findings } = resultOf(uid, outcome, []);
  return {
    kind,
    outcome: outcome.outcome,
    sopInstanceUid: kind === 'dicom' ? uid : null,
    reason,
    view,
    probability,
    lungFraction,
    findings: findings.map(({ label, probability: own, operatingPoint, atOrAbove, mode }) => ({
      label,
      probability: own,
      operatingPoint,
      atOrAbove,
      mode,
    })),
    urgent: priorityOf(findings) === 'urgent',
  };
}

/**
 * Output files of an outcome. A PNG or JPEG picture belongs to no study that a DICOM object could refer to, so its heat
 * map is written as a picture.
 */
function outputsOf(kind: FileKind, outcome: FilmOutcome, sha256: string, pipeline: Pipeline): Output[] {
  const identity = pipeline.identity();
  if (kind === 'dicom')
    return encode(outcome, identity).map(({ sopClassUid, sopInstanceUid, bytes }) => ({
      name: join(outcome.sopInstanceUid ?? '', `${FILE_NAMES.get(sopClassUid) ?? 'report'}-${sopInstanceUid}.dcm`),
      bytes,
    }));
  if (outcome.outcome !== 'analysed' || !identity.objects.heatMap) return [];
  const name = join(`picture-${sha256.slice(0, 16)}`, PICTURE_RESULT);
  return [{ name, bytes: pictureToPng(withOutlines(drawHeatMap(outcome.explained, identity))) }];
}

const PICTURE_RESULT = 'heat-map.png';

/** Whether a file is the result of a PNG or JPEG picture, by its name. */
export const isPictureResult = (path: string): boolean =>
  basename(path) === PICTURE_RESULT && /^picture-[0-9a-f]{16}$/.test(basename(dirname(path)));

const FILE_NAMES: ReadonlyMap<string, string> = new Map(
  RESULT_OBJECTS.map((object) => [
    SOP_CLASSES[object],
    object.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
);

/**
 * Writes all results of a film or none: after a failure those that were written are removed again. Resolves to their
 * paths below `out`.
 * @throws HilumError OUTPUT_FAILED
 */
export async function writeOutputs(outputs: readonly Output[], out: string): Promise<string[]> {
  const names: string[] = [];
  for (const { name, bytes } of outputs) {
    const folder = dirname(join(out, name));
    try {
      await writeAtomically(join(out, name), bytes, { mode: PRIVATE_MODE });
      names.push(name);
    } catch (error) {
      for (const done of names) await rm(join(out, done), { force: true });
      // The folder stays where results of an earlier run are in it.
      await rmdir(folder).catch(() => undefined);
      throw outputFailed(`the folder ${folder}`, error);
    }
  }
  return names;
}
