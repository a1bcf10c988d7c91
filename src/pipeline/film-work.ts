import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { FilmResult } from '../events/result-event';
import { type AnalysisIdentity, encode, resultUids } from './encode';
import type { FilmReader } from './film-reader';
import { resultOf } from './notify';
import { analyseFilm, type Line } from './pipeline';
import { type FilmReports, nextState, withState } from './reports';
import type { FilmObserver, FilmOutcome } from './stage';
import { timing } from './timing';

/** One film to be worked on, and what is known of it: plain data, which may go to another thread. */
export interface FilmTask {
  readonly study: Uid;
  /** What the archive calls it. */
  readonly film: Uid;
  /** The whole PS3.10 file. It is given away: shared memory is used for other films when this one is done. */
  readonly bytes: Uint8Array;
  readonly identity: AnalysisIdentity;
  readonly reports?: FilmReports | undefined;
}

/** What came of a film: its result, and the objects to be stored for it, in this order. */
export interface FilmWork {
  readonly result: FilmResult;
  readonly objects: readonly EncodedObject[];
}

/** Port: who works on films. In the caller's thread, or in threads of their own (`analysis-threads.ts`). */
export interface FilmAnalyst {
  /** Never throws for what a file holds. @throws HilumError ENCODE_FAILED, or what the networks throw */
  work(task: FilmTask, observer?: FilmObserver): Promise<FilmWork>;
}

/** What a study's films are worked on with. */
export interface StudyLine {
  readonly analyst: FilmAnalyst;
  /** For films that are only compared with what was seen of them. */
  readonly reader: FilmReader;
  readonly identity: () => AnalysisIdentity;
  readonly observer?: FilmObserver | undefined;
}

/** Each film in the caller's own thread, which stands still while the networks compute. */
export function inThisThread(line: Line): StudyLine {
  const { reader, identity, observer } = line;
  return {
    analyst: { work: (task, told) => workOnFilm(task, told === undefined ? line : { ...line, observer: told }) },
    reader,
    identity,
    observer,
  };
}

/** One film from its bytes to its objects. */
export async function workOnFilm({ study, film, bytes, identity, reports }: FilmTask, line: Line): Promise<FilmWork> {
  const outcome = await analyseFilm(bytes, line);
  const state = nextState(outcome, reports, resultUids(study, film, identity));
  return conclude(film, outcome, withState(identity, state), line.observer);
}

/** Makes the objects and the result of an outcome. @throws HilumError ENCODE_FAILED */
export async function conclude(
  film: Uid,
  outcome: FilmOutcome,
  identity: AnalysisIdentity,
  observer: FilmObserver | undefined,
): Promise<FilmWork> {
  const objects = await timing(observer)('encode', () => encode(outcome, identity));
  return { result: resultOf(film, outcome, objects), objects };
}
