import type { NotAnalysedReason } from '../events/closed-lists';
import { REASON_TEXTS } from '../finding/wording';
import type { Refusal } from './stage';

/** A refusal of which the report says no more than what is said of the reason everywhere else. */
export function plainRefusal(reason: NotAnalysedReason): Refusal {
  return { reason, text: REASON_TEXTS[reason] };
}
