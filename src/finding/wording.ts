import type { PixelRemark } from '../dicom/pixels';
import type { NotAnalysedReason, Warning } from '../events/closed-lists';
import type { Finding } from '../events/finding';

/** The research notice of every result, in several lengths. docs/wording.md lists them. */
export const RESEARCH_USE = {
  /** With a result. */
  statement: 'Research use only - not for diagnosis. Unverified.',
  /** On pages and in texts about the product. */
  sentence: 'Research use only, not for diagnosis.',
  /** In Series Description (LO, 64 characters together with what precedes it). */
  seriesDescription: 'RESEARCH USE, NOT FOR DIAGNOSIS',
  /** Burned into a picture. */
  burnedIn: 'RESEARCH USE - NOT FOR DIAGNOSIS',
  /** In Derivation Description. */
  brief: 'Research use only.',
  /** Where there is no room for a sentence. */
  unverified: 'Research use, unverified',
  /** Beside a single figure. */
  short: 'research use only',
} as const;

/**
 * Why a film was not analysed, as the end of a sentence with "because", for events, messages and pages. The report may
 * add details of the single film.
 */
export const REASON_TEXTS: Readonly<Record<NotAnalysedReason, string>> = {
  'lateral-view': 'the film looks like a lateral view; only frontal films are analysed',
  'unlike-training-films':
    'the picture does not look like the whole, upright, frontal chest films that the models were trained on',
  'no-chest-film': 'the picture does not look like a chest film',
  'turned-film': 'the film does not look upright, but turned on its side or upside down',
  'partial-film': 'the picture looks like a part of a chest film only',
  'poor-image-quality': 'the picture looks too blurred or too noisy for the models',
  'implausible-lungs': 'what was found as lung fields is unlike those of a frontal chest film',
  'body-part': 'the header names another part of the body than that of a chest film',
  modality: 'the modality is not that of a chest film (CR or DX)',
  'no-image': 'the object is no image, by its SOP Class',
  'derived-result': 'the image is the result of another product (an overlay, or what an algorithm made), not a film',
  'quality-control-image': 'the image is for quality control, or shows a phantom',
  'not-human': 'the patient is an animal',
  'below-minimum-age':
    'the patient was younger than the least age that is analysed; the models are not made for younger patients',
  'not-for-presentation': 'the image is for processing, not for presentation',
  undecodable: 'the pixel data cannot be decoded',
  'multi-frame': 'the object holds more than one frame; only single films are analysed',
  'blank-image': 'the picture is blank',
  'saturated-image': 'the picture is saturated: most of it is plain white, or nearly all of it plain white or black',
  'inverted-image': 'the picture is inverted: air shows bright and bone dark, against its Photometric Interpretation',
  unreadable: 'the object is no readable DICOM object',
  'rejected-for-quality': 'the film was rejected for quality reasons',
  'rejected-for-patient-safety': 'the film was rejected for patient safety reasons',
  'incorrect-worklist-entry':
    'the film was rejected: its worklist entry was incorrect, and it may be of another patient',
  'retention-expired': 'the film was rejected: its data retention period has expired',
};

/** The text of a reason; null without a reason, and for a code that this version does not know. */
export function reasonTextOf(code: string | null): string | null {
  return code !== null && Object.hasOwn(REASON_TEXTS, code) ? REASON_TEXTS[code as NotAnalysedReason] : null;
}

/** The text of each warning. */
export const WARNING_TEXTS: Readonly<Record<Warning, string>> = {
  'evidence-outside-lungs':
    'A second network that sees the film without its lungs is as sure of the finding: the evidence may lie ' +
    'outside the lungs (markers, tubes, edges, the machine). Judge the probability with care.',
  'body-part-conflict':
    'The header names the chest in one place and another part of the body in another. The film was analysed because ' +
    'its picture looks like a chest film: check that film and patient belong together.',
};

/** Remark on a film whose header does not say that it is of the chest alone. */
export const BODY_PART_UNCLEAR =
  'The header does not say clearly that this is a chest film. It was analysed because its picture looks like one.';

/** Remark on a film whose pixels differ from its header. */
export function pixelRemark({ kind, pixels }: PixelRemark): string {
  const count = pixels === 1 ? '1 pixel' : `${pixels} pixels`;
  switch (kind) {
    case 'outlying-values':
      return `The film gives no window. Its grey scale was taken without ${count} far outside the scale of all others.`;
    case 'undeclared-padding':
      return `The film has a border of ${count} with one value that no Pixel Padding Value declares. It was left out.`;
    case 'beyond-bits-stored':
      return (
        `The values of ${count} lie outside the bits that Bits Stored and High Bit name. ` +
        'They were used as they are.'
      );
    case 'half-resolution':
      return 'The film was decoded at half its resolution, as this site has it for JPEG 2000.';
  }
}

/** Remark on a film whose result is withdrawn. */
export const WITHDRAWN = 'WITHDRAWN: the film was rejected, and the earlier result of it does not hold any more.';

/** Remark on a result that replaces an earlier one. */
export const REPLACED = 'This result takes the place of an earlier one of the same film, which does not hold any more.';

/** Remark on a result that is sent again because patient or order of its study were corrected. */
export const CORRECTED =
  'Patient or order of this study were corrected in the archive. The result itself is the same; what was told with ' +
  'the earlier patient or order does not hold any more.';

/**
 * Relation of the probability to the operating point, without a full stop. Below the operating point it does not say
 * that the finding is absent: that is not known.
 */
export function relationOf(finding: Pick<Finding, 'probability' | 'operatingPoint' | 'atOrAbove'>): string {
  const { operatingPoint, atOrAbove } = finding;
  if (operatingPoint === null) return 'operating point not known: no statement about presence or absence';
  const point = percentagesOf(finding).operatingPoint;
  return atOrAbove
    ? `at or above the operating point (${point} %)`
    : `below the operating point (${point} %): no statement about absence`;
}

/** A finding in one sentence. */
export function findingStatement(finding: Finding, what: string = finding.label): string {
  const probability = `Probability of ${what} ${percentagesOf(finding).probability} %`;
  return finding.mode === 'shadow' ? `${probability}. ${IN_SHADOW}` : `${probability}, ${relationOf(finding)}.`;
}

/** Addition for a finding in shadow mode. */
export const IN_SHADOW = 'In shadow, for evaluation only: no statement, and nothing follows from it.';

/** Instead of a result, for a film whose findings are all in shadow mode. */
export const ONLY_IN_SHADOW =
  'Analysed for evaluation only, its findings are in shadow: no statement about the patient.';

/** Why a film was not analysed, as a sentence. @param reasonText text for a radiologist */
export function notAnalysedStatement(reasonText: string): string {
  return `Not analysed because ${reasonText}`;
}

/** Probability and operating point in per cent, with one decimal, or as many as are needed to tell them apart. */
export function percentagesOf({ probability, operatingPoint }: Pick<Finding, 'probability' | 'operatingPoint'>): {
  readonly probability: string;
  readonly operatingPoint: string;
} {
  const [share, point] = percentages(probability, operatingPoint ?? probability);
  return { probability: share, operatingPoint: point };
}

/** A share in per cent, with one decimal. */
export const percentOf = (share: number): string => percentage(share, 1);

/** Two shares in per cent, with one decimal, or as many as are needed to tell them apart. */
export function percentages(a: number, b: number): [string, string] {
  const digits =
    [1, 2, 3, 4, 5, 6].find((count) => a === b || (a * 100).toFixed(count) !== (b * 100).toFixed(count)) ?? 6;
  return [percentage(a, digits), percentage(b, digits)];
}

/** Never rounded to 0 or 100, which would claim absence or certainty. */
function percentage(share: number, digits: number): string {
  const least = (1 / 10 ** digits).toFixed(digits);
  const text = (share * 100).toFixed(digits);
  if (Number(text) === 0) return `< ${least}`;
  return Number(text) === 100 ? `> ${(100 - Number(least)).toFixed(digits)}` : text;
}
