import { HilumError } from '../base/errors';

/** One acknowledgement, MSH and MSA of HL7 v2.5.1 section 2.15. Its texts are left out: they may name a patient. */
export interface Acknowledgement {
  /** MSA-1 (table 0008); '' where it is none of them. */
  readonly code: string;
  /** MSA-2 without padding; '' where the receiver left it out. */
  readonly controlId: string;
  /** ERR-3.1, a number of table 0357; '' where there is none. */
  readonly error: string;
}

/** Of an answer of one message or several, one behind the other; messages without MSA have code ''. */
export function acknowledgementsIn(answer: Uint8Array): Acknowledgement[] {
  const segments = Buffer.from(answer)
    .toString('utf8')
    .split(/[\r\n]+/);
  const starts = segments.flatMap((segment, index) => (segment.startsWith('MSH') ? [index] : []));
  return starts.map((start, index) => acknowledgement(segments.slice(start, starts[index + 1])));
}

function acknowledgement(segments: readonly string[]): Acknowledgement {
  const separator = segments[0]!.charAt(3);
  const fields = (name: string) =>
    segments.find((segment) => segment.startsWith(`${name}${separator}`))?.split(separator) ?? [];
  const [, code = '', controlId = ''] = separator === '' ? [] : fields('MSA');
  const error = fields('ERR')[3]?.split('^')[0] ?? '';
  return {
    code: /^[AC][AER]$/.test(code.trim()) ? code.trim() : '',
    controlId: controlId.trim(),
    error: /^\d{1,4}$/.test(error) ? error : '',
  };
}

/**
 * Reads what a receiver answered to a message (HL7 v2.5.1 section 2.9). In the enhanced mode, which some receivers
 * speak unasked, the commit acknowledgement (CA, CE, CR) says that the message is kept, and the application
 * acknowledgement (AA, AE, AR) what became of it: where both are there, the latter counts. One without MSA-2 is about
 * the message sent last on the connection. Texts are never quoted.
 * @returns the acknowledgement that counts
 * @throws HilumError RECEIVER_UNAVAILABLE (transient) for AE and CE, RECEIVER_REFUSED (permanent) for AR and CR,
 * RECEIVER_RESPONSE_INVALID (transient) for what is no acknowledgement, or one to another message.
 */
export function readAck(answer: Uint8Array, controlId: string): Acknowledgement {
  const all = acknowledgementsIn(answer);
  const given = all.filter(({ code }) => code !== '');
  if (given.length === 0)
    throw invalid(all.length === 0 ? 'no HL7 message' : 'a message without a known code in MSA-1');
  const ours = given.filter((found) => found.controlId === '' || found.controlId === controlId);
  const counts = ours.findLast(({ code }) => code.startsWith('A')) ?? ours.at(-1);
  if (counts === undefined) throw invalid(`${given.map(({ code }) => code).join(' and ')} to another message`);
  if (counts.code.endsWith('A')) return counts;
  const text = `the HL7 receiver answered ${counts.code}${counts.error === '' ? '' : ` (error ${counts.error})`}`;
  if (counts.code.endsWith('E')) throw new HilumError('RECEIVER_UNAVAILABLE', 'transient', text);
  throw new HilumError('RECEIVER_REFUSED', 'permanent', text);
}

function invalid(what: string): HilumError {
  return new HilumError('RECEIVER_RESPONSE_INVALID', 'transient', `the HL7 receiver sent ${what}, no acknowledgement`);
}
