import { type Attributes, items, type Keyword, number, text } from '../dicom/attributes';
import { FILM_MODALITIES } from '../events/closed-lists';
import type { Refusal } from './stage';

/**
 * Body parts that are the chest and nothing more, by how they begin: "CHEST PA", "THORAX AP", "LUNGS"; Spanish,
 * Portuguese and Italian spellings are common in the field.
 */
const CHEST = /^(CHEST|THORAX|LUNG|TORAX|TÓRAX|TORACE)/;
/** CHESTABDOMEN, CHESTABDPELVIS (PS3.16 annex L): more than a chest film. */
const BEYOND_CHEST = /ABD|PELV/;
/** In the chest, but exposed for bone or taken for something else. */
const CHEST_REGION = /^(RIB|STERNUM|HEART|MEDIASTINUM|CLAVICLE)/;

/**
 * What a description may name. The first description that names any decides; of several parts in one description the
 * chest wins ("chest and abdomen").
 */
const CHEST_WORDS = /\b(chest|thorax|lungs?|torax|tórax|torace|cxr)\b/i;
const OTHER_WORDS =
  /\b(hands?|wrists?|fingers?|thumb|elbows?|forearm|humerus|shoulders?|clavicles?|ribs?|ribcage|knees?|patella|hips?|femur|tibia|fibula|ankles?|foot|feet|toes?|calcaneus|pelvis|abdomen|abdominal|kub|(?:[ctl]-?)?spine|vertebrae?|sacrum|skull|sinus(?:es)?|mandible|orbits?|neck|mammo\w*|breasts?|dental|teeth|tooth|extremity)\b/i;
const DESCRIPTIONS: readonly (readonly [Keyword, string])[] = [
  ['SeriesDescription', 'series description'],
  ['ProtocolName', 'protocol name'],
  ['RequestedProcedureDescription', 'requested procedure'],
  ['StudyDescription', 'study description'],
];

/** Chest by code, where the meaning is in another language: SNOMED CT and its forerunner SRT (PS3.16 CID 4031). */
const CHEST_CODES = ['51185008', 'T-D3000'];

/**
 * Digital X-Ray Image Storage - For Processing (PS3.4 annex B.5), for objects that do not say it again in Presentation
 * Intent Type.
 */
const FOR_PROCESSING_CLASS = '1.2.840.10008.5.1.4.1.1.1.1.1';

/**
 * View Position (0018,5101), PS3.3 section C.8.1.1.1 and what is written besides. Decubitus films are frontal to the
 * patient but not what the models know.
 */
const VIEWS: readonly (readonly [RegExp, string])[] = [
  [/^(LL|RL|LAT|LATERAL|(L|R|LEFT|RIGHT)[ _-]?LAT(ERAL)?|ML|LM)$/, 'lateral'],
  [/^(LLD|RLD|.*DECUB.*)$/, 'lateral decubitus'],
  [/^(LLO|RLO|LAO|RAO|LPO|RPO|.*OBL.*)$/, 'oblique'],
];

/**
 * Whether a film may be analysed, by its header alone; null when it may. In this order:
 *
 * 1. Modality is CR or DX; the SOP Class does not matter, because many archives keep films as Secondary Capture.
 * 2. Neither Presentation Intent Type nor SOP Class is FOR PROCESSING: raw detector values are not what the models were
 *    trained on.
 * 3. Body Part Examined is empty or begins with CHEST, THORAX or LUNG and does not add abdomen or pelvis. When it is
 *    empty, the first of Anatomic Region Sequence, series description, protocol name, requested procedure and study
 *    description that names a part must not name another one.
 * 4. One frame.
 * 5. View Position, or the View Code Sequence where it is empty, does not say lateral, decubitus or oblique; what says
 *    nothing is left to the view model.
 * 6. It has rows and columns. (Missing pixel data come out when they are decoded.)
 */
export function checkHeader(attributes: Attributes): Refusal | null {
  return (
    checkModality(attributes) ??
    checkIntent(attributes) ??
    checkBodyPart(attributes) ??
    checkFrames(attributes) ??
    checkView(attributes) ??
    checkSize(attributes)
  );
}

/**
 * Whether a refused film still gets a report in its study: a CR or DX film that does not say it shows something outside
 * the chest. Ribs and sternum count as chest: who reads the study should see why such a film has no result. Other
 * modalities and other parts get a log line only.
 */
export function isChestRegion(attributes: Attributes): boolean {
  if (checkModality(attributes)) return false;
  const part = bodyPart(attributes);
  return part === undefined ? otherPartNamed(attributes) === undefined : CHEST.test(part) || CHEST_REGION.test(part);
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
  return { reason: 'not-for-presentation', text: 'the image is for processing, not for presentation' };
}

function checkBodyPart(attributes: Attributes): Refusal | null {
  const part = bodyPart(attributes);
  if (part === undefined) {
    const other = otherPartNamed(attributes);
    return other ? { reason: 'body-part', text: `the ${other.where} names another body part (${other.word})` } : null;
  }
  if (CHEST.test(part) && !BEYOND_CHEST.test(part)) return null;
  const why = CHEST.test(part)
    ? 'shows more than the chest'
    : CHEST_REGION.test(part)
      ? 'is in the chest, but exposed differently from a chest film'
      : 'is not the chest';
  return { reason: 'body-part', text: `body part ${quotable(part)} ${why}` };
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
 * View Code Sequence (0054,0220) of a DX film by its meaning: code values differ between editions of the Standard, the
 * words hardly do.
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

function bodyPart(attributes: Attributes): string | undefined {
  return text(attributes, 'BodyPartExamined')?.toUpperCase();
}

function otherPartNamed(attributes: Attributes): { readonly where: string; readonly word: string } | undefined {
  const regions = items(attributes, 'AnatomicRegionSequence');
  if (regions.some((region) => CHEST_CODES.includes(text(region, 'CodeValue') ?? ''))) return undefined;
  const coded = [regions.map((region) => text(region, 'CodeMeaning') ?? '').join(' '), 'anatomic region'] as const;
  const described = DESCRIPTIONS.map(
    ([keyword, where]) => [text(attributes, keyword)?.replace(/_/g, ' ') ?? '', where] as const,
  );
  for (const [description, where] of [coded, ...described]) {
    if (CHEST_WORDS.test(description)) return undefined;
    // Only the word itself is told: the rest of a free text may say anything about the patient.
    const word = OTHER_WORDS.exec(description)?.[1]?.toLowerCase();
    if (word !== undefined) return { where, word };
  }
  return undefined;
}

/** A code string for a message; anything that is none (PS3.5 section 6.2) is not repeated. */
function quotable(value: string): string {
  return /^[A-Z0-9 _]{1,16}$/.test(value) ? value : '(not a code)';
}
