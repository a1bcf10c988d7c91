import { randomBytes } from 'node:crypto';
import { type Answer, encodeAnswer } from '../hl7/acknowledgement';
import type { Segment } from '../hl7/message';

export type Problem = NonNullable<Answer['problem']>;

/**
 * What became of a message: done; its content can't be used (AE); or its header already says that it is not for here
 * (AR, in the enhanced mode CR).
 */
export type Verdict =
  { readonly kind: 'accepted' } | { readonly kind: 'error' | 'rejected'; readonly problem: Problem };

/** Table 0155: whether an acknowledgement is wanted. */
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
 * The acknowledgements that a message asks for (HL7 v2.5.1 section 2.9): in the original mode one of the application;
 * in the enhanced mode, where MSH-15 or MSH-16 says so, one that the message is kept, and behind it one of the
 * application. When they are made, everything is committed.
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
