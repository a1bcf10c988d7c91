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

/**
 * One film, by Arias-Garzon et al. 2021: VGG19 tells frontal from lateral; the film becomes a small grey plane N; a
 * U-Net finds the lungs; a VGG tells COVID-19 from not; a heat map shows where it looked. Wherever the film does not
 * fit, the outcome says why. Never throws for what a file holds.
 */
export async function analyseFilm(bytes: Uint8Array, line: Line): Promise<FilmOutcome> {
  const source = await openFilm(bytes, line);
  return 'outcome' in source ? source : analyseOpened(source, line);
}

/** The film with its header read; where it can't be read, what comes of that. */
export async function openFilm(bytes: Uint8Array, { reader }: Pick<Line, 'reader'>): Promise<OpenedFilm | FilmOutcome> {
  try {
    return await open(bytes, reader);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return { outcome: 'rejected', sopInstanceUid: null, refusal };
  }
}

/** As {@link analyseFilm}, of a film that is open. */
export async function analyseOpened(source: OpenedFilm, line: Line): Promise<FilmOutcome> {
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
 * As {@link analyseFilm}, from the pixels on: what its header says is not looked at. Pictures come here, which
 * have none.
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
