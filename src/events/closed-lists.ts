/** Modalities of films: any CR or DX instance counts, whatever its SOP Class. */
export const FILM_MODALITIES: ReadonlySet<string> = new Set(['CR', 'DX']);

/** Reasons of a rejection note in the study (IHE Imaging Object Change Management). */
const REJECTION_REASONS = [
  'rejected-for-quality',
  'rejected-for-patient-safety',
  'incorrect-worklist-entry',
  'retention-expired',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** Reasons why a film was not analysed. A closed list: docs/events.md has each, and a test compares. */
export const NOT_ANALYSED_REASONS = [
  'lateral-view',
  'unlike-training-films',
  'no-chest-film',
  'turned-film',
  'partial-film',
  'poor-image-quality',
  'implausible-lungs',
  'body-part',
  'modality',
  'no-image',
  'derived-result',
  'quality-control-image',
  'not-human',
  'below-minimum-age',
  'not-for-presentation',
  'undecodable',
  'multi-frame',
  'blank-image',
  'saturated-image',
  'inverted-image',
  'unreadable',
  ...REJECTION_REASONS,
] as const;
export type NotAnalysedReason = (typeof NOT_ANALYSED_REASONS)[number];

export function isRejection(reason: string): reason is RejectionReason {
  return (REJECTION_REASONS as readonly string[]).includes(reason);
}

/** Warnings for the reader of a result. A closed list: docs/events.md has each, and a test compares. */
export const WARNINGS = ['evidence-outside-lungs', 'body-part-conflict'] as const;
export type Warning = (typeof WARNINGS)[number];

/** Removes codes that a later version has added and this one does not know. */
export function knownWarnings(codes: readonly string[]): Warning[] {
  return WARNINGS.filter((known) => codes.includes(known));
}

/**
 * Parts of a study that an archive may correct and that make the result be announced again. A closed list:
 * docs/events.md has each.
 */
export const CORRECTED_PARTS = ['patient', 'order'] as const;
export type CorrectedPart = (typeof CORRECTED_PARTS)[number];

/** Kinds of deliveries. A closed list: docs/deliveries.md has each, and a test compares. */
export const DELIVERY_KINDS = ['result', 'correction', 'replacement', 'withdrawal'] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];
