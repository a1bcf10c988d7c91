import { HilumError } from '../base/errors';

/** HL7 v2.5.1 appendix C.4: start block, end block and the carriage return that ends a frame. */
export const [START, END, CR] = [0x0b, 0x1c, 0x0d];
const LF = 0x0a;
/** Bytes of an answer, line ends before it included. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** Whole frames without their marks, and whether the beginning of another stands behind them. */
export interface Frames {
  readonly whole: readonly Buffer[];
  readonly hasMore: boolean;
}

/**
 * Frames in what was received. The carriage return at the end of one may be missing; line ends between them are passed
 * over.
 * @throws HilumError RECEIVER_RESPONSE_INVALID for what is no frame, or too long
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

/** Behind an end block comes a line end, another frame or, so far, nothing; else it is a byte of the message. */
function endOf(received: Buffer, start: number): number {
  for (let at = received.indexOf(END, start); at >= 0; at = received.indexOf(END, at + 1)) {
    const next = received[at + 1];
    if (next === undefined || next === START || isLineEnd(next)) return at;
  }
  return -1;
}

/** For an error's message: never the bytes themselves, which may name a patient. */
function kindOf(bytes: Buffer): string {
  const start = bytes.toString('latin1', 0, 5);
  if (start.startsWith('HTTP/')) return 'an HTTP answer';
  if (start.startsWith('MSH')) return 'an HL7 message without a frame';
  // Alert or handshake (RFC 8446 section 5.1).
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03) return 'a TLS record';
  return `it begins with byte 0x${bytes[0]!.toString(16).padStart(2, '0').toUpperCase()}`;
}

function invalid(message: string): HilumError {
  return new HilumError('RECEIVER_RESPONSE_INVALID', 'transient', message);
}
