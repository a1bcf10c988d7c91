import { type Attributes, items, type Keyword, number, text } from '../dicom/attributes';
import { isNoImageClass } from '../dicom/sop-class';
import { FILM_MODALITIES, type NotAnalysedReason, type Warning } from '../events/closed-lists';
import type { FilmResult } from '../events/result-event';
import { bodyPartOf } from './body-part';
import { checkDerived } from './derived-result';
import { plainRefusal } from './refusal';
import type { Refusal } from './stage';
import { checkAge, checkQuality, checkSpecies, MINIMUM_AGE } from './subject';

/**
 * Digital X-Ray Image Storage - For Processing (PS3.4 annex B.5), for objects that do not say it again in Presentation
 * Intent Type.
 */
const FOR_PROCESSING_CLASS = '1.2.840.10008.5.1.4.1.1.1.1.1';

/**
 * View Position (0018,5101) by PS3.3 section C.8.1.1.1 and by other spellings in use. Decubitus films are frontal, but
 * the models were not trained on them.
 */
const VIEWS: readonly (readonly [RegExp, string])[] = [
  [/^(LL|RL|LAT|LATERAL|(L|R|LEFT|RIGHT)[ _-]?LAT(ERAL)?|ML|LM)$/, 'lateral'],
  [/^(LLD|RLD|.*DECUB.*)$/, 'lateral decubitus'],
  [/^(LLO|RLO|LAO|RAO|LPO|RPO|.*OBL.*)$/, 'oblique'],
];

/**
 * Whether a film may be analysed, by its header alone; null when it may. In this order:
 *
 * 1. Its SOP Class is not known to be no image (a document, a presentation state ...); a private one has a picture.
 * 2. Modality is CR or DX; which image SOP Class does not matter, because many archives keep films as Secondary
 * Capture.
 * 3. It is no result that another product made of a film.
 * 4. Neither Presentation Intent Type nor SOP Class is FOR PROCESSING: raw detector values are not what the models were
 *    trained on.
 * 5. It is of a human patient: no quality control image, no phantom, no animal.
 * 6. The words of its header together do not clearly name another part than the chest ({@link bodyPartOf}).
 * 7. One frame.
 * 8. View Position, or the View Code Sequence where it is empty, does not say lateral, decubitus or oblique; what says
 *    nothing is left to the view model.
 * 9. The patient was not younger than `minimumAge` (years; 0 takes every age).
 * 10. It has rows and columns. (Missing pixel data come out when they are decoded.)
 */
export function checkHeader(attributes: Attributes, minimumAge: number = MINIMUM_AGE): Refusal | null {
  return (
    checkImage(attributes) ??
    checkModality(attributes) ??
    checkDerived(attributes) ??
    checkIntent(attributes) ??
    checkQuality(attributes) ??
    checkSpecies(attributes) ??
    checkBodyPart(attributes) ??
    checkFrames(attributes) ??
    checkView(attributes) ??
    checkAge(attributes, minimumAge) ??
    checkSize(attributes)
  );
}

/**
 * Whether a refused film gets a report in its study: a CR or DX film whose header does not say that it shows something
 * outside of the chest. Ribs and sternum count as chest, as a reader of the study should see why such a film has no
 * result. Other modalities and body parts get a log line only.
 */
export function isChestRegion(attributes: Attributes): boolean {
  if (checkModality(attributes)) return false;
  const part = bodyPartOf(attributes);
  return part.verdict !== 'other' || part.first.kind === 'bones' || part.first.kind === 'beyond';
}

/** Whether a refusal is reported in the study: for a film of the chest region, not for an object that is no film. */
export function isReported(attributes: Attributes, { reason }: Refusal): boolean {
  return reason !== 'no-image' && reason !== 'derived-result' && isChestRegion(attributes);
}

/**
 * Reasons that {@link checkHeader} alone gives. Those that the pixels may give too are left out: a film would be read
 * again for ever.
 */
const HEADER_REASONS: readonly (NotAnalysedReason | null)[] = [
  'modality',
  'no-image',
  'body-part',
  'quality-control-image',
  'not-human',
  'below-minimum-age',
  'not-for-presentation',
  'multi-frame',
];

/** Whether the header refused a film with this result. A lateral view that the view model saw is in the report. */
export function isByHeader({ reason, view }: Pick<FilmResult, 'reason' | 'view'>): boolean {
  return HEADER_REASONS.includes(reason) || (reason === 'lateral-view' && view === null);
}

function checkImage(attributes: Attributes): Refusal | null {
  const sopClass = text(attributes, 'SOPClassUID') ?? '';
  const isUnknown = sopClass !== '' && !sopClass.startsWith('1.2.840.10008.');
  return isNoImageClass(sopClass) || (isUnknown && checkSize(attributes) !== null) ? plainRefusal('no-image') : null;
}

function checkModality(attributes: Attributes): Refusal | null {
  const modality = text(attributes, 'Modality');
  if (modality !== undefined && FILM_MODALITIES.has(modality)) return null;
  return {
    reason: 'modality',
    text:
      modality === undefined
        ? 'the object states no modality'
        : `modality ${quotable(modality)} is not a chest film (CR or DX)`,
  };
}

function checkIntent(attributes: Attributes): Refusal | null {
  if (
    text(attributes, 'PresentationIntentType') !== 'FOR PROCESSING' &&
    text(attributes, 'SOPClassUID') !== FOR_PROCESSING_CLASS
  )
    return null;
  return plainRefusal('not-for-presentation');
}

function checkBodyPart(attributes: Attributes): Refusal | null {
  const part = bodyPartOf(attributes);
  if (part.verdict !== 'other') return null;
  const { where, word, kind } = part.first;
  if (where !== 'body part') return { reason: 'body-part', text: `the ${where} names another body part (${word})` };
  const stated = quotable(text(attributes, 'BodyPartExamined')?.toUpperCase() ?? '');
  return { reason: 'body-part', text: `body part ${stated} ${WHY_NOT[kind]}` };
}

const WHY_NOT = {
  part: 'is not the chest',
  spine: 'is not the chest',
  bones: 'is in the chest, but exposed differently from a chest film',
  beyond: 'shows more than the chest',
} as const;

/** Warnings where the header contradicts itself and the film was analysed all the same. */
export function headerWarnings(attributes: Attributes): Warning[] {
  return bodyPartOf(attributes).verdict === 'conflict' ? ['body-part-conflict'] : [];
}

/** Whether the header does not tell which body part the film shows. */
export function isBodyPartUnclear(attributes: Attributes): boolean {
  return bodyPartOf(attributes).verdict === 'unclear';
}

function checkFrames(attributes: Attributes): Refusal | null {
  const frames = number(attributes, 'NumberOfFrames') ?? 1;
  return frames > 1
    ? { reason: 'multi-frame', text: `the object holds ${frames} frames; only single films are analysed` }
    : null;
}

function checkView(attributes: Attributes): Refusal | null {
  const position = text(attributes, 'ViewPosition')?.toUpperCase();
  const view = position === undefined ? codedView(attributes) : VIEWS.find(([form]) => form.test(position))?.[1];
  if (view === undefined) return null;
  return {
    reason: 'lateral-view',
    text: position === undefined ? `the view code says ${view}` : `view position ${quotable(position)} says ${view}`,
  };
}

/**
 * View Code Sequence (0054,0220) of a DX film by its meaning, as code values differ between editions of the Standard.
 */
function codedView(attributes: Attributes): string | undefined {
  const meaning = items(attributes, 'ViewCodeSequence')
    .map((item) => text(item, 'CodeMeaning') ?? '')
    .join(' ');
  return /\b(lateral|decubitus|oblique)\b/i.exec(meaning)?.[1]?.toLowerCase();
}

function checkSize(attributes: Attributes): Refusal | null {
  const has = (keyword: Keyword) => (number(attributes, keyword) ?? 0) > 0;
  return has('Rows') && has('Columns')
    ? null
    : { reason: 'undecodable', text: 'the object has no image: rows or columns are missing' };
}

/** A code string that may be quoted in a message; an invalid one (PS3.5 section 6.2) is not repeated. */
function quotable(value: string): string {
  return /^[A-Z0-9 _]{1,16}$/.test(value) ? value : '(not a code)';
}
