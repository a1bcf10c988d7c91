import { HilumError } from '../base/errors';
import type { Segment } from './message';
import { components, ENCODING_CHARACTERS, escapeText, numbered, SEGMENT_END, timestampOf } from './text';

/** An acknowledgement: MSH and MSA (HL7 v2.5.1 section 2.15). Its texts are left out, as they may name a patient. */
export interface Acknowledgement {
  /** MSA-1 (table 0008); '' for any other value. */
  readonly code: string;
  /** MSA-2 without padding; '' where the receiver left it out. */
  readonly controlId: string;
  /** ERR-3.1, a number of table 0357; '' where there is none. */
  readonly error: string;
}

/** The acknowledgements in a response of one or several messages; a message without MSA has code ''. */
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
 * Reads a receiver's response to a message (HL7 v2.5.1 section 2.9). In enhanced mode, which some receivers use
 * unasked, the commit acknowledgement (CA, CE, CR) says that the message was stored, and the application
 * acknowledgement (AA, AE, AR) how it was processed; if both are there, the latter counts. One without MSA-2 refers to
 * the message sent last on the connection. Texts are never quoted.
 * @returns the acknowledgement that counts
 * @throws HilumError RECEIVER_UNAVAILABLE (transient) for AE and CE, RECEIVER_REFUSED (permanent) for AR and CR,
 * RECEIVER_RESPONSE_INVALID (transient) for anything else, or an acknowledgement of another message
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

/** MSA-1 (table 0008): application acknowledgements, and commit acknowledgements of the enhanced mode. */
type AcknowledgementCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

/** Table 0357. */
const HL7_ERRORS = {
  sequence: ['100', 'Segment sequence error'],
  required: ['101', 'Required field missing'],
  dataType: ['102', 'Data type error'],
  type: ['200', 'Unsupported message type'],
  event: ['201', 'Unsupported event code'],
  processingId: ['202', 'Unsupported processing id'],
  version: ['203', 'Unsupported version id'],
  internal: ['207', 'Application internal error'],
} as const;

export interface Answer {
  readonly code: AcknowledgementCode;
  /** Why the message is not accepted, in a sentence that quotes nothing of it. */
  readonly problem?: { readonly error: keyof typeof HL7_ERRORS; readonly text: string };
}

/**
 * Encodes an acknowledgement (HL7 v2.5.1 section 2.15): MSH MSA [ERR], addressed to the sender. `header` is the
 * message's MSH, null where none could be read. It asks for no acknowledgement itself.
 */
export function encodeAnswer(
  { code, problem }: Answer,
  header: Segment | null,
  { controlId, at }: { readonly controlId: string; readonly at: number },
): Buffer {
  const designator = (field: number) => components(...[1, 2, 3].map((part) => header?.text(field, part) ?? ''));
  const version = header?.text(12) ?? '';
  const segments = [
    numbered('MSH', {
      1: ENCODING_CHARACTERS,
      2: designator(5),
      3: designator(6),
      4: designator(3),
      5: designator(4),
      6: timestampOf(new Date(at).toISOString()),
      8: components('ACK', header?.text(9, 2) ?? '', 'ACK'),
      9: controlId,
      10: components(header?.text(11) || 'P'),
      11: /^2\.\d[\d.]*$/.test(version) ? version : '2.5.1',
      17: 'UNICODE UTF-8',
    }),
    numbered('MSA', { 1: code, 2: escapeText(header?.text(10) ?? ''), 3: escapeText(problem?.text ?? '') }),
    ...(problem === undefined ? [] : [errorSegment(problem)]),
  ];
  return Buffer.from(segments.map((text) => text + SEGMENT_END).join(''), 'utf8');
}

function errorSegment({ error, text }: NonNullable<Answer['problem']>): string {
  const [code, meaning] = HL7_ERRORS[error];
  return numbered('ERR', { 3: components(code, meaning, 'HL70357'), 4: 'E', 8: escapeText(text) });
}
