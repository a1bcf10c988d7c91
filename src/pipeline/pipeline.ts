import { checkHeader, headerWarnings, isReported } from './check';
import { contentOf, decode, open, type OpenedFilm, refusalOf } from './decode';
import { checkDerivedColour } from './derived-result';
import type { AnalysisIdentity } from './encode';
import { explain } from './explain';
import type { FilmReader } from './film-reader';
import { findOutOfDistribution, refuseOutOfDistribution } from './out-of-distribution';
import { classify, findView, type Models } from './infer';
import { findLungs, implausible, type Plausibility } from './lungs';
import { measuresOf } from './measure';
import { pixelFault } from './pixel-faults';
import { preprocess } from './preprocess';
import { plainRefusal } from './refusal';
import { checkShortcut, type ShortcutCheck } from './shortcut-check';
import type { Admission, FilmObserver, FilmOutcome, InferredFilm, PreprocessedFilm, Refusal } from './stage';
import { timing } from './timing';

/** The pipeline's models and settings, made once by `app/pipeline`. */
export interface Pipeline {
  readonly reader: FilmReader;
  readonly models: Models;
  readonly plausibility: Plausibility;
  /** Shortcut check; null or absent: off. */
  readonly shortcutCheck?: ShortcutCheck | null;
  /** Identity of the analysis: the part of the results that does not come from the film. */
  readonly identity: () => AnalysisIdentity;
  /** Youngest patient whose films are analysed (years; 0: every age). */
  readonly minimumAge?: number | undefined;
  readonly observer?: FilmObserver;
}

/**
 * Analyses one film by Arias-Garzon et al. 2021: VGG19 tells frontal from lateral; the film is reduced to a small grey
 * plane N; a U-Net finds the lungs; a VGG tells COVID-19 from not; a heat map shows where it looked. A film that does
 * not fit gets an outcome with the reason. Never throws for the content of a file.
 */
export async function analyseFilm(bytes: Uint8Array, pipeline: Pipeline): Promise<FilmOutcome> {
  const source = await openFilm(bytes, pipeline);
  return 'outcome' in source ? source : analyseOpened(source, pipeline);
}

/** The film with its header read, or the outcome of an unreadable file. */
export async function openFilm(
  bytes: Uint8Array,
  { reader }: Pick<Pipeline, 'reader'>,
): Promise<OpenedFilm | FilmOutcome> {
  try {
    return await open(bytes, reader);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return { outcome: 'rejected', sopInstanceUid: null, refusal };
  }
}

/** As {@link analyseFilm}, for an opened film. */
export async function analyseOpened(source: OpenedFilm, pipeline: Pipeline): Promise<FilmOutcome> {
  return withContent(unfit(source, pipeline) ?? (await analysePixels(source, pipeline)), source, pipeline);
}

/** Adds the content digests to an outcome with a report, also where the pixels were not needed. */
async function withContent(outcome: FilmOutcome, source: OpenedFilm, { reader }: Pipeline): Promise<FilmOutcome> {
  if (outcome.outcome === 'rejected') return outcome;
  const decoded =
    outcome.outcome === 'analysed'
      ? outcome.explained.inferred.preprocessed.decoded.image.digest
      : outcome.decodedDigest;
  return { ...outcome, content: await contentOf(source, reader, decoded ?? null) };
}

/**
 * As {@link analyseFilm}, from the pixels on, without a header check: for PNG and JPEG pictures, which have no header.
 */
export async function analysePixels(source: OpenedFilm, pipeline: Pipeline): Promise<FilmOutcome> {
  try {
    return await analyse(source, pipeline);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return refused(source, refusal);
  }
}

async function analyse(source: OpenedFilm, pipeline: Pipeline): Promise<FilmOutcome> {
  const timed = timing(pipeline.observer);
  const [, , rows, columns] = pipeline.models.view.manifest.input.shape;
  const film = await timed('decode', async () => preprocess(await decode(source, pipeline.reader, { rows, columns })));
  const derived = checkDerivedColour(source.attributes, film.decoded.image);
  if (derived !== null) return refused(source, derived);
  const inferred = await timed('infer', () => infer(source, film, pipeline));
  if ('outcome' in inferred) return inferred;
  return {
    outcome: 'analysed',
    sopInstanceUid: source.sopInstanceUid,
    explained: await timed('explain', () => explain(inferred)),
  };
}

/** Runs the networks one after the other; stops where the film is refused. */
async function infer(
  source: OpenedFilm,
  film: PreprocessedFilm,
  pipeline: Pipeline,
): Promise<InferredFilm | FilmOutcome> {
  const admitted = await admit(film, pipeline);
  if (admitted.refusal !== null) {
    pipeline.observer?.measured?.(measuresOf(film, admitted, null));
    return refused(source, admitted.refusal, seen(film, admitted));
  }
  const inferred = await classify(film, admitted.view, admitted.lungs, pipeline.models.classifiers);
  pipeline.observer?.measured?.(measuresOf(film, admitted, inferred.findings[0]?.finding.probability ?? null));
  const warnings = headerWarnings(source.attributes);
  return checkShortcut(warnings.length > 0 ? { ...inferred, warnings } : inferred, pipeline.shortcutCheck ?? null);
}

/**
 * Checks by its pixels whether a picture may go to the classifiers: no computable fault, in distribution, frontal,
 * plausible lungs. The order matters, so that the reason given is the right one.
 */
async function admit(
  film: PreprocessedFilm,
  { models, plausibility }: Pick<Pipeline, 'models' | 'plausibility'>,
): Promise<Admission> {
  const fault = pixelFault(film);
  if (fault) return { refusal: fault, view: null, outOfDistribution: null, lungs: null };
  const outOfDistribution = await findOutOfDistribution(film, models.outOfDistribution);
  const view = await findView(film, models, outOfDistribution);
  const strange = refuseOutOfDistribution(outOfDistribution, models.outOfDistribution, view.view);
  if (strange) return { refusal: strange, view, outOfDistribution, lungs: null };
  if (view.view === 'lateral') return { refusal: LATERAL, view, outOfDistribution, lungs: null };
  const lungs = await findLungs(film, models.lungs);
  return { refusal: implausible(lungs, plausibility, film.turn), view, outOfDistribution, lungs };
}

const LATERAL = plainRefusal('lateral-view');

function unfit(source: OpenedFilm, { minimumAge }: Pick<Pipeline, 'minimumAge'>): FilmOutcome | null {
  const refusal = checkHeader(source.attributes, minimumAge);
  return refusal && refused(source, refusal);
}

type Seen = Pick<FilmOutcome & { outcome: 'not-analysed' }, 'view' | 'lungFraction' | 'remarks' | 'decodedDigest'>;

/** Findings on a refused film for its report. */
function seen({ decoded }: PreprocessedFilm, { refusal, view, lungs }: Admission): Seen {
  // A lateral view is reported only where that is the reason; beside another reason the view may be wrong. What is no
  // chest film has no view of one.
  const doubtful =
    refusal?.reason === 'no-chest-film' || (view?.view === 'lateral' && refusal?.reason !== 'lateral-view');
  return {
    view: doubtful ? null : (view?.view ?? null),
    lungFraction: lungs?.lungFraction ?? null,
    remarks: decoded.image.remarks ?? [],
    decodedDigest: decoded.image.digest,
  };
}

const UNSEEN: Seen = { view: null, lungFraction: null };

/** A refused film of the chest gets a report with the reason; others get a log line. */
function refused({ attributes, sopInstanceUid }: OpenedFilm, refusal: Refusal, found = UNSEEN): FilmOutcome {
  return isReported(attributes, refusal)
    ? { outcome: 'not-analysed', sopInstanceUid, refusal, attributes, ...found }
    : { outcome: 'rejected', sopInstanceUid, refusal };
}
