import { HilumError } from '../base/errors';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import type { FilmResult, ResultEvent } from '../events/result-event';
import type { FilmState } from '../objects/analysis';
import { checkHeader, headerWarnings, isReported } from './check';
import { contentOf, decode, open, type OpenedFilm, refusalOf } from './decode';
import { checkDerivedColour } from './derived-result';
import { dueFilms, hiddenFilms } from './due-films';
import { type AnalysisIdentity, encode, resultUids } from './encode';
import { explain } from './explain';
import { findAnnounced } from './find-announced';
import { fetchFilm } from './fetch';
import type { FilmReader } from './film-reader';
import { findUnlike, refuseUnlike } from './gate';
import { classify, findView, type Models } from './infer';
import { findLungs, implausible, type Plausibility } from './lungs';
import { measuresOf } from './measure';
import { resultOf, studyResult } from './notify';
import { pixelFault } from './pixel-faults';
import { preprocess } from './preprocess';
import { saysRejected, mayBeNote, type NoteReading, readRejections, rejectedFilm, type Rejections } from './rejections';
import {
  type FilmReports,
  isReadBy,
  nextState,
  readReports,
  resultInEffect,
  withSuperseded,
  withState,
} from './reports';
import { checkShortcut, type ShortcutCheck } from './shortcut-check';
import type {
  Admission,
  Announcer,
  Archive,
  FilmObserver,
  FilmOutcome,
  InferredFilm,
  PreprocessedFilm,
  Refusal,
} from './stage';
import { store } from './store';
import { skippedSeries, survey, type Survey } from './survey';
import { timing } from './timing';
import { verify } from './verify';
import { withdraw } from './withdraw';

/** What the line needs besides the film: made once, by app.ts. */
export interface Line {
  readonly reader: FilmReader;
  readonly models: Models;
  readonly plausibility: Plausibility;
  /** Null or absent: nobody asks whether the film's surroundings would have done. */
  readonly shortcutCheck?: ShortcutCheck | null;
  /** Who analyses, with what and since when: the part of the results that does not come from the film. */
  readonly identity: () => AnalysisIdentity;
  /** Youngest patient whose films are analysed (years; 0: every age). */
  readonly minimumAge?: number | undefined;
  readonly observer?: FilmObserver;
}

export interface Ports {
  readonly archive: Archive;
  readonly announcer: Announcer;
}

/**
 * One film, by Arias-Garzon et al. 2021: VGG19 tells frontal from lateral; the film becomes a small grey plane N; a
 * U-Net finds the lungs; a VGG tells COVID-19 from not; a heat map shows where it looked. Wherever the film does not
 * fit, the outcome says why. Never throws for what a file holds.
 */
export async function analyseFilm(bytes: Uint8Array, line: Line): Promise<FilmOutcome> {
  let source: OpenedFilm;
  try {
    source = await open(bytes, line.reader);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return { outcome: 'rejected', sopInstanceUid: null, refusal };
  }
  return withContent(unfit(source, line) ?? (await analysePixels(source, line)), source, line);
}

/** A film that gets a report is known again by its content, also where nobody had to look at its pixels. */
async function withContent(outcome: FilmOutcome, source: OpenedFilm, { reader }: Line): Promise<FilmOutcome> {
  if (outcome.outcome === 'rejected') return outcome;
  const decoded =
    outcome.outcome === 'analysed'
      ? outcome.explained.inferred.preprocessed.decoded.image.digest
      : outcome.decodedDigest;
  return { ...outcome, content: await contentOf(source, reader, decoded ?? null) };
}

/**
 * As {@link analyseFilm}, from the pixels on: what its header says is not looked at. `hilum evaluate` brings pictures
 * here, which have none.
 */
export async function analysePixels(source: OpenedFilm, line: Line): Promise<FilmOutcome> {
  try {
    return await analyse(source, line);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return refused(source, refusal);
  }
}

async function analyse(source: OpenedFilm, line: Line): Promise<FilmOutcome> {
  const timed = timing(line.observer);
  const [, , rows, columns] = line.models.view.manifest.input.shape;
  const film = await timed('decode', async () => preprocess(await decode(source, line.reader, { rows, columns })));
  const derived = checkDerivedColour(source.attributes, film.decoded.image);
  if (derived !== null) return refused(source, derived);
  const inferred = await timed('infer', () => infer(source, film, line));
  if ('outcome' in inferred) return inferred;
  return {
    outcome: 'analysed',
    sopInstanceUid: source.sopInstanceUid,
    explained: await timed('explain', () => explain(inferred)),
  };
}

/** The networks, one after the other; a film that is not for the next one is refused. */
async function infer(source: OpenedFilm, film: PreprocessedFilm, line: Line): Promise<InferredFilm | FilmOutcome> {
  const admitted = await admit(film, line);
  if (admitted.refusal !== null) {
    line.observer?.measured?.(measuresOf(film, admitted, null));
    return refused(source, admitted.refusal, seen(film, admitted));
  }
  const inferred = await classify(film, admitted.view, admitted.lungs, line.models.classifiers);
  line.observer?.measured?.(measuresOf(film, admitted, inferred.findings[0]?.finding.probability ?? null));
  const warnings = headerWarnings(source.attributes);
  return checkShortcut(warnings.length > 0 ? { ...inferred, warnings } : inferred, line.shortcutCheck ?? null);
}

/**
 * Whether a picture is for the classifier, by its pixels: without a fault that can be computed, like the films of the
 * training, frontal, with plausible lungs. In this order, so that the reason given is the true one.
 */
async function admit(
  film: PreprocessedFilm,
  { models, plausibility }: Pick<Line, 'models' | 'plausibility'>,
): Promise<Admission> {
  const fault = pixelFault(film);
  if (fault) return { refusal: fault, view: null, unlike: null, lungs: null };
  const unlike = await findUnlike(film, models.gate);
  const view = await findView(film, models.view);
  const strange = refuseUnlike(unlike, models.gate, view.view);
  if (strange) return { refusal: strange, view, unlike, lungs: null };
  if (view.view === 'lateral') return { refusal: LATERAL, view, unlike, lungs: null };
  const lungs = await findLungs(film, models.lungs);
  return { refusal: implausible(lungs, plausibility, film.turn), view, unlike, lungs };
}

export interface StudyRun {
  /** This study may have been worked on before. */
  readonly redelivered: boolean;
  /** Films that have a report of another version of Hilum are read anew instead of being left alone. */
  readonly reanalyze?: boolean;
  /** Films are compared with what their reports saw, so that one whose content was replaced is read anew. */
  readonly compare?: boolean;
  /** Asked between two films: whether to stop here, and to go on in another run. */
  readonly shouldReturn?: () => boolean;
  /** Told of each key object selection that is left alone. */
  readonly onUnreadNote?: NoteReading['onUnread'];
  /** All instances of the study, where they were listed a moment ago. */
  readonly instances?: readonly InstanceReference[] | null;
  /** Waits before an archive that shows nothing of the study is asked again (milliseconds). */
  readonly emptyDelaysMs?: readonly number[];
}

/**
 * One study: each film without a report, or with another content than its report saw, is fetched, analysed, encoded and
 * stored; all that was stored is verified; then the study's result is announced. Null when every film had its report already, as when our
 * own results arrive: there is nothing new to say; `gone` when the archive has nothing of the study. A film that fails
 * for good does not hold up the others.
 * @throws HilumError of a port, or STUDY_RETURNED; what was done before stays done and is recognised at the next try.
 */
export async function runStudy(
  study: Uid,
  options: StudyRun,
  line: Line,
  ports: Ports,
): Promise<ResultEvent | 'gone' | null> {
  const { redelivered, reanalyze = false, compare = reanalyze, shouldReturn = () => false, emptyDelaysMs } = options;
  const { archive } = ports;
  const identity = line.identity();
  const instances = await findAnnounced(study, archive, emptyDelaysMs, options.instances);
  if (instances.length === 0) return 'gone';
  const found = survey(study, instances, identity);
  const isWhole = found.films.length > 0 && found.films.every(({ isReported }) => isReported);
  if (isWhole && !redelivered && !compare && !instances.some(mayBeNote)) return null;
  const reports = await readReports(study, instances, archive);
  const rejections = await readRejections(study, instances, { archive, onUnread: options.onUnreadNote });
  const asked = { compare, reanalyze, rejections, reader: line.reader, archive };
  const due = await dueFilms(study, found, reports, identity, asked);
  const hidden = hiddenFilms(found, reports, rejections);
  const isOurs = [...reports.values()].some((known) => isReadBy(known, study, identity));
  const hasFilms = found.films.length > 0 || [...reports.keys()].some((film) => rejections.reasons.has(film));
  if (due.length + hidden.length === 0 && (isOurs ? !redelivered : hasFilms)) return null;
  const parts = { study, reports, rejections, found, identity };
  const ends = { shouldReturn, confirm: (films: readonly FilmResult[]) => confirm(study, films, line, archive) };
  const withdrawn = await runFilms(hidden, (film) => withdrawFilm(film, parts, line, archive), ends);
  const read = await runFilms(due, (film) => runFilm(film, parts, line, archive), ends);
  const results = [...read, ...withdrawn];
  const event = resultOfStudy(study, { found, instances, reports, results, identity });
  await ports.announcer.announce(event);
  return event;
}

interface StudyParts {
  readonly found: Survey;
  readonly instances: readonly InstanceReference[];
  readonly reports: ReadonlyMap<Uid, FilmReports>;
  /** Of the films read in this run. */
  readonly results: readonly FilmResult[];
  readonly identity: AnalysisIdentity;
}

/**
 * The films read now and, as their reports have it, those read before: by this analysis first, then by another version
 * of Hilum, whose priority stands.
 */
function resultOfStudy(study: Uid, { found, instances, reports, results, identity }: StudyParts): ResultEvent {
  const read = new Set<Uid>(results.map(({ sopInstanceUid }) => sopInstanceUid));
  const listed = new Set<Uid>(found.films.map(({ film }) => film.sopInstanceUid));
  const left = [...listed, ...[...reports.keys()].filter((film) => !listed.has(film))].flatMap((film) => {
    const known = read.has(film) ? undefined : reports.get(film);
    const result = known && resultInEffect(known);
    // Of a film that is not there any more it is told only that it was rejected.
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
  /** Asked, before it ends in any way but by an error of a port, whether all is there. */
  readonly confirm?: (results: readonly FilmResult[]) => Promise<void>;
}

/**
 * One film after the other. It stops early only once a film of this run has its report: a rejected film has none and is
 * looked at again in the next run, so that without this rule a study could go round for ever.
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
      results.push(await run(film));
    } catch (error) {
      if (!concernsFilmAlone(error)) throw error;
      failures.push(error);
    }
  }
  await confirm(results);
  if (failures[0]) throw failures[0];
  return results;
}

/**
 * Looks whether all objects of these films are there. What an error of the archive keeps from being looked for is
 * found, or missed, by the query that the next run begins with.
 */
function confirm(study: Uid, films: readonly FilmResult[], { observer }: Line, archive: Archive): Promise<void> {
  const objects = films.flatMap(({ outputs }) => outputs);
  return timing(observer)('verify', () => verify(study, objects, archive));
}

/** What is known of a study when its films are read. */
interface KnownStudy {
  readonly study: Uid;
  readonly reports: ReadonlyMap<Uid, FilmReports>;
  readonly rejections: Rejections;
  readonly found: Survey;
  readonly identity: AnalysisIdentity;
}

async function runFilm(film: InstanceReference, known: KnownStudy, line: Line, archive: Archive): Promise<FilmResult> {
  const uid = film.sopInstanceUid;
  const [reports, rejection] = [known.reports.get(uid), known.rejections.reasons.get(uid)];
  if (rejection !== undefined && reports !== undefined) return withdrawFilm(uid, known, line, archive);
  if (rejection !== undefined)
    return write(uid, { outcome: rejectedFilm(rejection), state: undefined }, known, line, archive);
  const timed = timing(line.observer);
  const outcome = await timed('fetch', () => fetchFilm(film, archive)).then(
    ({ bytes }) => analyseFilm(bytes, line),
    unfetched,
  );
  const state = nextState(outcome, reports, resultUids(known.study, uid, known.identity));
  return write(uid, { outcome, state }, known, line, archive);
}

/** Of a film that was rejected after it had a result; the archive may list it still, or hide it. */
async function withdrawFilm(film: Uid, known: KnownStudy, line: Line, archive: Archive): Promise<FilmResult> {
  const { study, reports, rejections, found } = known;
  const listed = found.films.find((one) => one.film.sopInstanceUid === film)?.film;
  const withdrawal = await withdraw(
    study,
    reports.get(film)!,
    { reason: rejections.reasons.get(film)!, listed },
    archive,
  );
  return write(film, withdrawal, known, line, archive);
}

/** Makes the objects of an outcome and stores those that are not there; each was named as stored by the answer. */
async function write(
  film: Uid,
  { outcome, state }: { readonly outcome: FilmOutcome; readonly state: FilmState | undefined },
  { study, reports, found, identity }: KnownStudy,
  { observer }: Pick<Line, 'observer'>,
  archive: Archive,
): Promise<FilmResult> {
  const timed = timing(observer);
  const objects = await timed('encode', () => encode(outcome, withState(identity, state)));
  await timed('store', () =>
    store(
      study,
      objects.filter(({ sopInstanceUid }) => !found.present.has(sopInstanceUid)),
      archive,
    ),
  );
  const result = withSuperseded(resultOf(film, outcome, objects), reports.get(film));
  observer?.film(result);
  return result;
}

const LATERAL: Refusal = {
  reason: 'lateral-view',
  text: 'the film looks like a lateral view; only frontal films are analysed',
};

function unfit(source: OpenedFilm, { minimumAge }: Pick<Line, 'minimumAge'>): FilmOutcome | null {
  const refusal = checkHeader(source.attributes, minimumAge);
  return refusal && refused(source, refusal);
}

type Seen = Pick<FilmOutcome & { outcome: 'not-analysed' }, 'view' | 'lungFraction' | 'remarks' | 'decodedDigest'>;

/** What a report can say of a refused film that was looked at. */
function seen({ decoded }: PreprocessedFilm, { refusal, view, lungs }: Admission): Seen {
  // Lateral by the view model alone is a lateral view; beside another reason it may be anything.
  const doubtful = view?.view === 'lateral' && refusal?.reason !== 'lateral-view';
  return {
    view: doubtful ? null : (view?.view ?? null),
    lungFraction: lungs?.lungFraction ?? null,
    remarks: decoded.image.remarks ?? [],
    decodedDigest: decoded.image.digest,
  };
}

const UNSEEN: Seen = { view: null, lungFraction: null };

/** A refused film of the chest gets a report that says so; anything else gets a log line. */
function refused({ attributes, sopInstanceUid }: OpenedFilm, refusal: Refusal, found = UNSEEN): FilmOutcome {
  return isReported(attributes, refusal)
    ? { outcome: 'not-analysed', sopInstanceUid, refusal, attributes, ...found }
    : { outcome: 'rejected', sopInstanceUid, refusal };
}

/** An object too large to be read is an outcome; a lost archive is not. */
export function unfetched(error: unknown): FilmOutcome {
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
