import type { NotAnalysedReason } from '../events/closed-lists';
import { REASON_TEXTS } from '../finding/wording';
import type { Refusal } from './stage';

/** A refusal whose text in the report is the general one of its reason. */
export function plainRefusal(reason: NotAnalysedReason): Refusal {
  return { reason, text: REASON_TEXTS[reason] };
}
