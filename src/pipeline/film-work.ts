import { HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import type { ContentDigest } from '../dicom/content-digest';
import type { EncodedObject } from '../dicom/part10';
import { tryParseUid, type Uid } from '../dicom/uid';
import type { FilmResult } from '../events/result-event';
import { contentOfFile } from './decode';
import { type AnalysisIdentity, encode, resultUids } from './encode';
import type { FilmReader } from './film-reader';
import { resultOf } from './notify';
import { analyseFilm, type Pipeline } from './pipeline';
import { type FilmReports, nextState, withState } from './reports';
import type { FilmObserver, FilmOutcome } from './stage';
import { timing } from './timing';

/** One film to analyse, with what is known of it: plain data, which can be sent to another thread. */
export interface FilmTask {
  readonly study: Uid;
  /** SOP Instance UID in the archive. */
  readonly film: Uid;
  /** The whole PS3.10 file. The caller gives it up: shared memory is reused when the film is done. */
  readonly bytes: Uint8Array;
  readonly identity: AnalysisIdentity;
  readonly reports?: FilmReports | undefined;
}

/** Result of a film, and the objects to store, in this order. */
export interface FilmWork {
  readonly result: FilmResult;
  readonly objects: readonly EncodedObject[];
  /** Content of a rejected film that has an earlier report. */
  readonly content?: ContentDigest;
}

/** Port: analyses films, in the caller's thread or in others (`analysis-threads.ts`). */
export interface FilmAnalyser {
  /** Never throws for the content of a file. @throws HilumError ENCODE_FAILED, or errors of the networks */
  work(task: FilmTask, observer?: FilmObserver): Promise<FilmWork>;
}

/** What the films of a study are analysed with. */
export interface StudyPipeline {
  readonly analyser: FilmAnalyser;
  /** Reader for films that are only compared with their digest. */
  readonly reader: FilmReader;
  readonly identity: () => AnalysisIdentity;
  readonly observer?: FilmObserver | undefined;
}

/** Analyses in the caller's thread, which is blocked while the networks run. */
export function inThisThread(pipeline: Pipeline): StudyPipeline {
  const { reader, identity, observer } = pipeline;
  return {
    analyser: {
      work: (task, told) => workOnFilm(task, told === undefined ? pipeline : { ...pipeline, observer: told }),
    },
    reader,
    identity,
    observer,
  };
}

/**
 * One film from its bytes to the objects.
 * @throws HilumError ENCODE_FAILED also where the archive has sent the file of another film or study: result and
 * patient are taken from the file
 */
export async function workOnFilm(
  { study, film, bytes, identity, reports }: FilmTask,
  pipeline: Pipeline,
): Promise<FilmWork> {
  const outcome = await analyseFilm(bytes, pipeline);
  if (isOfAnother(outcome, { study, film }))
    throw new HilumError(
      'ENCODE_FAILED',
      'permanent',
      'the file that the archive sent is not the film that was asked for, or names another study',
    );
  const state = nextState(outcome, reports, resultUids(study, film, identity));
  const work = await conclude(film, outcome, withState(identity, state), pipeline.observer);
  if (outcome.outcome !== 'rejected' || reports === undefined) return work;
  return { ...work, content: await contentOfFile(bytes, pipeline.reader) };
}

function isOfAnother(outcome: FilmOutcome, { study, film }: Pick<FilmTask, 'study' | 'film'>): boolean {
  const { sopInstanceUid } = outcome;
  if (sopInstanceUid !== null && sopInstanceUid !== film) return true;
  const named = tryParseUid(attributesOf(outcome)?.StudyInstanceUID);
  return named !== undefined && named !== study;
}

function attributesOf(outcome: FilmOutcome): Attributes | null {
  switch (outcome.outcome) {
    case 'analysed':
      return outcome.explained.inferred.preprocessed.decoded.attributes;
    case 'not-analysed':
      return outcome.attributes;
    case 'rejected':
      return null;
  }
}

/** Makes objects and result of an outcome. @throws HilumError ENCODE_FAILED */
export async function conclude(
  film: Uid,
  outcome: FilmOutcome,
  identity: AnalysisIdentity,
  observer: FilmObserver | undefined,
): Promise<FilmWork> {
  const objects = await timing(observer)('encode', () => encode(outcome, identity));
  return { result: resultOf(film, outcome, objects), objects };
}
