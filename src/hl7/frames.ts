import { HilumError } from '../base/errors';

/** Start block, end block, and the carriage return that ends a frame (HL7 v2.5.1 appendix C.4). */
export const [START, END, CR] = [0x0b, 0x1c, 0x0d];
const LF = 0x0a;
/** Largest response (bytes), line ends before it included. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** Complete frames without start and end block, and whether the beginning of another follows. */
export interface Frames {
  readonly whole: readonly Buffer[];
  readonly hasMore: boolean;
}

/**
 * Extracts frames from received bytes. The carriage return at the end may be missing; line ends between frames are
 * skipped.
 * @throws HilumError RECEIVER_RESPONSE_INVALID for anything else, or where it is too long
 */
export function framesIn(received: Buffer): Frames {
  if (received.length > MAX_ANSWER_BYTES)
    throw invalid(`the HL7 receiver's answer is longer than ${MAX_ANSWER_BYTES} bytes`);
  const whole: Buffer[] = [];
  for (let offset = 0; ;) {
    while (isLineEnd(received[offset])) offset += 1;
    if (offset >= received.length) return { whole, hasMore: false };
    if (received[offset] !== START)
      throw invalid(`what the HL7 receiver sent is no MLLP frame: ${kindOf(received.subarray(offset))}`);
    const end = endOf(received, offset + 1);
    if (end < 0) return { whole, hasMore: true };
    whole.push(received.subarray(offset + 1, end));
    offset = end + 1;
  }
}

export function isLineEnd(byte: number | undefined): boolean {
  return byte === CR || byte === LF;
}

/** An end block counts if a line end, another frame or nothing follows; otherwise it is a byte of the message. */
function endOf(received: Buffer, start: number): number {
  for (let at = received.indexOf(END, start); at >= 0; at = received.indexOf(END, at + 1)) {
    const next = received[at + 1];
    if (next === undefined || next === START || isLineEnd(next)) return at;
  }
  return -1;
}

/** Describes bytes for an error message without quoting them, as they may name a patient. */
function kindOf(bytes: Buffer): string {
  const start = bytes.toString('latin1', 0, 5);
  if (start.startsWith('HTTP/')) return 'an HTTP answer';
  if (start.startsWith('MSH')) return 'an HL7 message without a frame';
  // A TLS alert or handshake (RFC 8446 section 5.1).
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03) return 'a TLS record';
  return `it begins with byte 0x${bytes[0]!.toString(16).padStart(2, '0').toUpperCase()}`;
}

function invalid(message: string): HilumError {
  return new HilumError('RECEIVER_RESPONSE_INVALID', 'transient', message);
}
