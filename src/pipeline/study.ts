import { HilumError } from '../base/errors';
import { describeSpan, inChildSpan } from '../base/trace';
import { bytesDigest, type ContentDigest } from '../dicom/content-digest';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import type { FilmResult, ResultEvent } from '../events/result-event';
import { refusalOf } from './decode';
import { dueFilms, hiddenFilms } from './due-films';
import type { AnalysisIdentity } from './encode';
import { fetchFilm } from './fetch';
import { conclude, type FilmTask, type FilmWork, type StudyPipeline } from './film-work';
import { findAnnounced } from './find-announced';
import type { FilmMeasures } from './measures';
import { studyResult } from './notify';
import { mayBeNote, type NoteReading, readRejections, rejectedFilm, type Rejections, saysRejected } from './rejections';
import { type FilmReports, isReadBy, readReports, resultInEffect, withState, withSuperseded } from './reports';
import type { Announcer, Archive, FilmOutcome, TimedStage } from './stage';
import { store } from './store';
import { skippedSeries, inventoryOf, type StudyInventory } from './inventory';
import { timing } from './timing';
import { verify } from './verify';
import { withdraw, type WithdrawalCause } from './withdraw';

export interface Ports {
  readonly archive: Archive;
  readonly announcer: Announcer;
}

export interface StudyRun {
  /** The study may have been worked on before. */
  readonly redelivered: boolean;
  /** Films with a report of another version of Hilum are analysed again. */
  readonly reanalyze?: boolean;
  /** Films are compared with the digests in their reports, so that replaced ones are analysed again. */
  readonly compare?: boolean;
  /** Called between two films: whether to stop here and continue in another run. */
  readonly shouldReturn?: () => boolean;
  /** Called for each key object selection that is not read. */
  readonly onUnreadNote?: NoteReading['onUnread'];
  /** All instances of the study, where they were listed a moment ago. */
  readonly instances?: readonly InstanceReference[] | null;
  /** Delays before an archive that returns nothing of the study is asked again (milliseconds). */
  readonly emptyDelaysMs?: readonly number[];
}

/**
 * Analyses a study: each film without a report, or with another content than its report's, is fetched, analysed,
 * encoded and stored; all stored objects are verified by a query; then the study's result is announced. Null when every
 * film had its report already (for example because our own results arrived); `gone` when the archive has nothing of the
 * study. A film that fails permanently does not stop the others.
 * @throws HilumError of a port, or STUDY_RETURNED; finished films stay done and are recognised in the next run
 */
export async function runStudy(
  study: Uid,
  options: StudyRun,
  pipeline: StudyPipeline,
  ports: Ports,
): Promise<ResultEvent | 'gone' | null> {
  const { redelivered, reanalyze = false, compare = reanalyze, shouldReturn = () => false, emptyDelaysMs } = options;
  const { archive } = ports;
  const identity = pipeline.identity();
  const instances = await findAnnounced(study, archive, emptyDelaysMs, options.instances);
  if (instances.length === 0) return 'gone';
  const found = inventoryOf(study, instances, identity);
  const isWhole = found.films.length > 0 && found.films.every(({ isReported }) => isReported);
  if (isWhole && !redelivered && !compare && !instances.some(mayBeNote)) return null;
  const reports = await readReports(study, instances, archive);
  const rejections = await readRejections(study, instances, { archive, onUnread: options.onUnreadNote });
  const asked = { compare, reanalyze, rejections, reader: pipeline.reader, archive };
  const due = await dueFilms(study, found, reports, identity, asked);
  const hidden = hiddenFilms(found, reports, rejections);
  const isOurs = [...reports.values()].some((known) => isReadBy(known, study, identity));
  const hasFilms = found.films.length > 0 || [...reports.keys()].some((film) => rejections.reasons.has(film));
  if (due.length + hidden.length === 0 && (isOurs ? !redelivered : hasFilms)) return null;
  const parts = { study, reports, rejections, found, identity };
  const ends = { shouldReturn, confirm: (films: readonly FilmResult[]) => confirm(study, films, pipeline, archive) };
  const withdrawHidden = (film: Uid) =>
    withdrawFilm(film, { reason: rejections.reasons.get(film)! }, parts, pipeline, archive);
  const withdrawn = await runFilms(hidden, withdrawHidden, ends);
  const read = await runFilms(due, (film) => runFilm(film, parts, pipeline, archive), ends);
  const results = [...read, ...withdrawn];
  const event = resultOfStudy(study, { found, instances, reports, results, identity });
  await ports.announcer.announce(event);
  return event;
}

interface StudyParts {
  readonly found: StudyInventory;
  readonly instances: readonly InstanceReference[];
  readonly reports: ReadonlyMap<Uid, FilmReports>;
  /** Results of the films analysed in this run. */
  readonly results: readonly FilmResult[];
  readonly identity: AnalysisIdentity;
}

/**
 * Result of the study: films of this run and, from their reports, those analysed before, by this version or another
 * one, whose priority stays.
 */
function resultOfStudy(study: Uid, { found, instances, reports, results, identity }: StudyParts): ResultEvent {
  const read = new Set<Uid>(results.map(({ sopInstanceUid }) => sopInstanceUid));
  const listed = new Set<Uid>(found.films.map(({ film }) => film.sopInstanceUid));
  const left = [...listed, ...[...reports.keys()].filter((film) => !listed.has(film))].flatMap((film) => {
    const known = read.has(film) ? undefined : reports.get(film);
    const result = known && resultInEffect(known);
    // Of a film that is not listed any more, only its rejection is reported.
    const isTold = result && (listed.has(film) || saysRejected(result));
    return known && result && isTold ? [{ result, isOurs: isReadBy(known, study, identity) }] : [];
  });
  const films = [
    ...results,
    ...left.filter(({ isOurs }) => isOurs).map(({ result }) => result),
    ...left.filter(({ isOurs }) => !isOurs).map(({ result }) => result),
  ];
  const inEffect = [...reports.values()].filter((known) => isReadBy(known, study, identity)).flatMap(resultInEffect);
  const series = inEffect.flatMap((result) => result?.outputs ?? []).map(({ seriesInstanceUid }) => seriesInstanceUid);
  return studyResult(study, films, skippedSeries(found, instances, series), identity);
}

/** How a run over films may end. */
interface RunEnds {
  readonly shouldReturn: () => boolean;
  /** Called before it ends, unless by an error of a port, to verify what was stored. */
  readonly confirm?: (results: readonly FilmResult[]) => Promise<void>;
}

/**
 * One film after the other. It stops early only once a film of this run has a report: a rejected film has none and is
 * looked at in each run, so that without this rule a study might never end.
 */
export async function runFilms<T>(
  films: readonly T[],
  run: (film: T) => Promise<FilmResult>,
  { shouldReturn, confirm = async () => {} }: RunEnds,
): Promise<FilmResult[]> {
  const results: FilmResult[] = [];
  const failures: HilumError[] = [];
  for (const film of films) {
    const reported = results.filter(({ outcome }) => outcome !== 'rejected').length;
    if (reported > 0 && shouldReturn()) {
      await confirm(results);
      throw new HilumError(
        'STUDY_RETURNED',
        'transient',
        `${reported} of ${films.length} films done, the others are left to the next run`,
      );
    }
    try {
      results.push(await traced(() => run(film)));
    } catch (error) {
      if (!concernsFilmAlone(error)) throw error;
      failures.push(error);
    }
  }
  await confirm(results);
  if (failures[0]) throw failures[0];
  return results;
}

/** Runs a film as a span of its study's trace. */
function traced(run: () => Promise<FilmResult>): Promise<FilmResult> {
  return inChildSpan({ name: 'film' }, async () => {
    const result = await run();
    const { sopInstanceUid, outcome, reason } = result;
    describeSpan({ 'hilum.film': sopInstanceUid, 'hilum.outcome': outcome, 'hilum.reason': reason ?? undefined });
    return result;
  });
}

/**
 * Verifies by a query that all objects of these films are stored. Where an error of the archive prevents it, the next
 * run takes films with a report as stored: each object was confirmed by its own response.
 */
function confirm(
  study: Uid,
  films: readonly FilmResult[],
  { observer }: Pick<StudyPipeline, 'observer'>,
  archive: Archive,
): Promise<void> {
  const objects = films.flatMap(({ outputs }) => outputs);
  if (objects.length === 0) return Promise.resolve();
  return timing(observer)('verify', () => verify(study, objects, archive));
}

/** Known facts of a study while its films are analysed. */
interface KnownStudy {
  readonly study: Uid;
  readonly reports: ReadonlyMap<Uid, FilmReports>;
  readonly rejections: Rejections;
  readonly found: StudyInventory;
  readonly identity: AnalysisIdentity;
}

async function runFilm(
  film: InstanceReference,
  known: KnownStudy,
  pipeline: StudyPipeline,
  archive: Archive,
): Promise<FilmResult> {
  const uid = film.sopInstanceUid;
  const { study, identity } = known;
  const [reports, rejection] = [known.reports.get(uid), known.rejections.reasons.get(uid)];
  if (rejection !== undefined) {
    if (reports !== undefined) return withdrawFilm(uid, { reason: rejection }, known, pipeline, archive);
    const work = await conclude(uid, rejectedFilm(rejection), identity, pipeline.observer);
    return write(uid, work, known, pipeline, archive);
  }
  const { work, count } = await workOnFetched(film, { study, film: uid, identity, reports }, pipeline, archive);
  const { outcome, reason } = work.result;
  // Its earlier report would stay in effect.
  const written =
    outcome === 'rejected' && reports !== undefined
      ? await withdrawFilm(uid, { reason: reason!, content: work.content ?? UNREAD }, known, pipeline, archive)
      : await write(uid, work, known, pipeline, archive);
  count();
  return written;
}

/** Of a film that was not returned: it is compared, and read, once it is. */
const UNREAD: ContentDigest = { encoded: bytesDigest(new Uint8Array()), decoded: null };

/**
 * Fetches and analyses a film. What was measured of it is told to the observer by `count`, to be called once its result
 * is stored: where storing fails, the film is analysed again.
 */
export async function workOnFetched(
  film: InstanceReference,
  task: Omit<FilmTask, 'bytes'>,
  { analyser, observer }: StudyPipeline,
  archive: Pick<Archive, 'retrieve'>,
): Promise<{ readonly work: FilmWork; readonly count: () => void }> {
  const held: FilmMeasures[] = [];
  const holding = observer && {
    stage: (stage: TimedStage, seconds: number) => observer.stage(stage, seconds),
    film: (result: FilmResult) => observer.film(result),
    measured: (measures: FilmMeasures) => void held.push(measures),
  };
  const work = await timing(observer)('fetch', () => fetchFilm(film, archive)).then(
    ({ bytes }) => analyser.work({ ...task, bytes }, holding),
    (error: unknown) => conclude(task.film, unfetched(error), task.identity, observer),
  );
  return { work, count: () => held.forEach((measures) => observer?.measured?.(measures)) };
}

/** Withdraws the result of a film that was rejected afterwards; the archive may still list the film or not. */
async function withdrawFilm(
  film: Uid,
  cause: WithdrawalCause,
  known: KnownStudy,
  pipeline: StudyPipeline,
  archive: Archive,
): Promise<FilmResult> {
  const { study, reports, found, identity } = known;
  const listed = found.films.find((one) => one.film.sopInstanceUid === film)?.film;
  const { outcome, state } = await withdraw(study, reports.get(film)!, { ...cause, listed }, archive);
  const work = await conclude(film, outcome, withState(identity, state), pipeline.observer);
  return write(film, work, known, pipeline, archive);
}

/** Stores the objects of a film that are missing; each is confirmed by its response. */
async function write(
  film: Uid,
  { result, objects }: FilmWork,
  { study, reports, found }: KnownStudy,
  { observer }: Pick<StudyPipeline, 'observer'>,
  archive: Archive,
): Promise<FilmResult> {
  const missing = objects.filter(({ sopInstanceUid }) => !found.present.has(sopInstanceUid));
  await timing(observer)('store', () => store(study, missing, archive));
  const written = withSuperseded(result, reports.get(film));
  observer?.film(written);
  return written;
}

/** An object that is too large to be read is an outcome; a lost archive is an error. */
function unfetched(error: unknown): FilmOutcome {
  const refusal = refusalOf(error);
  if (refusal === null) throw error;
  return { outcome: 'rejected', sopInstanceUid: null, refusal };
}

function concernsFilmAlone(error: unknown): error is HilumError {
  return (
    error instanceof HilumError &&
    error.lasting === 'permanent' &&
    (error.code === 'NOT_FOUND' || error.code === 'ENCODE_FAILED')
  );
}
