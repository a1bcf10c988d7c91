/** A chest film is a CR or DX instance, whatever its SOP Class. */
export const FILM_MODALITIES: ReadonlySet<string> = new Set(['CR', 'DX']);

/** Why a film was rejected, by a rejection note in its study (IHE Imaging Object Change Management). */
const REJECTION_REASONS = [
  'rejected-for-quality',
  'rejected-for-patient-safety',
  'incorrect-worklist-entry',
  'retention-expired',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** Why a film was not analysed. A closed list: docs/events.md names each, and a test compares. */
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

/** What a reader of a result is warned of. A closed list: docs/events.md names each, and a test compares. */
export const WARNINGS = ['evidence-outside-lungs', 'body-part-conflict'] as const;
export type Warning = (typeof WARNINGS)[number];

/** Without the codes that a later version added: here they would be words that nobody knows. */
export function knownWarnings(codes: readonly string[]): Warning[] {
  return WARNINGS.filter((known) => codes.includes(known));
}

/**
 * What of a study an archive may correct so that its result is told again. A closed list: docs/events.md names each.
 */
export const CORRECTED_PARTS = ['patient', 'order'] as const;
export type CorrectedPart = (typeof CORRECTED_PARTS)[number];

/** What a delivery tells of a study. A closed list: docs/deliveries.md names each, and a test compares. */
export const DELIVERY_KINDS = ['result', 'correction', 'replacement', 'withdrawal'] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];
