import { randomBytes } from 'node:crypto';
import { type Answer, encodeAnswer } from '../hl7/acknowledgement';
import type { Segment } from '../hl7/message';

export type Problem = NonNullable<Answer['problem']>;

/**
 * Result of a message: accepted; its content can't be used (AE); or its header shows that it is not meant for this
 * receiver (AR, in enhanced mode CR).
 */
export type Verdict =
  { readonly kind: 'accepted' } | { readonly kind: 'error' | 'rejected'; readonly problem: Problem };

/** Whether an acknowledgement is wanted (table 0155). */
function isWanted(condition: string, isGood: boolean): boolean {
  switch (condition.toUpperCase()) {
    case 'NE':
    case '':
      return false;
    case 'ER':
      return !isGood;
    case 'SU':
      return isGood;
    default:
      return true;
  }
}

/**
 * Acknowledgements of a message (HL7 v2.5.1 section 2.9): in original mode an application acknowledgement; in enhanced
 * mode, if MSH-15 or MSH-16 asks for them, a commit and an application acknowledgement. All changes are committed
 * before.
 */
export function answersTo(verdict: Verdict, header: Segment | null, at: number): Buffer[] {
  const answer = (code: Answer['code']) =>
    encodeAnswer(verdict.kind === 'accepted' || code === 'CA' ? { code } : { code, problem: verdict.problem }, header, {
      controlId: randomBytes(10).toString('hex').toUpperCase(),
      at,
    });
  const ofApplication = ({ accepted: 'AA', error: 'AE', rejected: 'AR' } as const)[verdict.kind];
  const [commit, application] = [header?.text(15) ?? '', header?.text(16) ?? ''];
  if (commit === '' && application === '') return [answer(ofApplication)];
  const isKept = verdict.kind !== 'rejected';
  return [
    ...(isWanted(commit, isKept) ? [answer(isKept ? 'CA' : 'CR')] : []),
    ...(isKept && isWanted(application, verdict.kind === 'accepted') ? [answer(ofApplication)] : []),
  ];
}
