import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import type { Finding } from '../events/finding';
import type { FilmResult, ResultEvent } from '../events/result-event';
import { priorityOf } from '../finding/finding';
import { resultUids } from './encode';
import type { StudyPipeline } from './film-work';
import { findAnnounced } from './find-announced';
import { studyResult } from './notify';
import { readRejections } from './rejections';
import type { Archive } from './stage';
import { runFilms, type StudyRun, workOnFetched } from './study';
import { skippedSeries, inventoryOf } from './inventory';

/** Record of a film in shadow mode: UIDs and results, nothing about the patient. */
export interface ShadowRecord extends Pick<
  FilmResult,
  'sopInstanceUid' | 'outcome' | 'reason' | 'view' | 'probability' | 'lungFraction'
> {
  /** With the operating point of each. */
  readonly findings: readonly Pick<Finding, 'label' | 'probability' | 'operatingPoint' | 'mode'>[];
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly studyInstanceUid: Uid;
  /** UID that the film's report would have: it identifies film, models and settings together. */
  readonly report: Uid;
  /** A live finding is at or above its operating point. */
  readonly urgent: boolean;
}

/** Port: stores the outcomes of shadow mode; `monitoring/shadow-store` fits it. */
export interface ShadowStore {
  has(report: Uid): boolean;
  /** Resolves when the record is on disk. An existing record is not changed. */
  add(record: ShadowRecord): Promise<void>;
}

/**
 * Analyses a study in shadow mode: each film that is neither in the store nor rejected is fetched, analysed and encoded
 * as in {@link runStudy}, and recorded, whatever a live service did with it. Nothing is stored in the archive or
 * announced; the type of `archive` has no method to store. Null when there was nothing new.
 * @throws HilumError of a port, or STUDY_RETURNED; recorded films stay recorded
 */
export async function shadowStudy(
  study: Uid,
  {
    shouldReturn = () => false,
    emptyDelaysMs,
    onUnreadNote,
  }: Pick<StudyRun, 'shouldReturn' | 'emptyDelaysMs' | 'onUnreadNote'>,
  pipeline: StudyPipeline,
  archive: Pick<Archive, 'findInstances' | 'retrieve'>,
  store: ShadowStore,
): Promise<ResultEvent | 'gone' | null> {
  const identity = pipeline.identity();
  const instances = await findAnnounced(study, archive, emptyDelaysMs);
  if (instances.length === 0) return 'gone';
  const found = inventoryOf(study, instances, identity);
  const pending = found.films.filter(({ uids }) => !store.has(uids.report.instance)).map(({ film }) => film);
  const { reasons } = await readRejections(study, instances, { archive, onUnread: onUnreadNote });
  const due = pending.filter(({ sopInstanceUid }) => !reasons.has(sopInstanceUid));
  if (due.length === 0) return null;
  const films = await runFilms(due, (film) => shadowFilm(film, pipeline, archive, store), { shouldReturn });
  return studyResult(study, films, skippedSeries(found, instances, []), identity);
}

async function shadowFilm(
  film: InstanceReference,
  pipeline: StudyPipeline,
  archive: Pick<Archive, 'retrieve'>,
  store: ShadowStore,
): Promise<FilmResult> {
  const identity = pipeline.identity();
  // The objects are made to find errors: a film that would fail in live mode must fail here too.
  const task = { study: film.studyInstanceUid, film: film.sopInstanceUid, identity };
  const { work, count } = await workOnFetched(film, task, pipeline, archive);
  const result: FilmResult = { ...work.result, outputs: [] };
  const { sopInstanceUid, reason, view, probability, lungFraction, findings } = result;
  await store.add({
    at: new Date().toISOString(),
    studyInstanceUid: film.studyInstanceUid,
    sopInstanceUid,
    report: resultUids(film.studyInstanceUid, sopInstanceUid, identity).report.instance,
    outcome: result.outcome,
    reason,
    view,
    probability,
    lungFraction,
    findings: findings.map(({ label, probability: own, operatingPoint, mode }) => ({
      label,
      probability: own,
      operatingPoint,
      mode,
    })),
    urgent: priorityOf(result.findings) === 'urgent',
  });
  pipeline.observer?.film(result);
  count();
  return result;
}
