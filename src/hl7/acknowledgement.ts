import { HilumError } from '../base/errors';

/**
 * Reads the acknowledgement to a message (HL7 v2.5.1 section 2.9.2): AA and CA are done. Its texts are never quoted,
 * they may name a patient.
 * @throws HilumError RECEIVER_UNAVAILABLE (transient) for AE and CE, RECEIVER_REFUSED (permanent) for AR and CR,
 * RECEIVER_RESPONSE_INVALID (transient) for what is no acknowledgement, or one to another message.
 */
export function readAck(answer: Uint8Array, controlId: string): void {
  const segments = Buffer.from(answer)
    .toString('utf8')
    .split(/[\r\n]+/);
  const separator = segments[0]?.startsWith('MSH') === true ? segments[0].charAt(3) : '';
  const [, code = '', repeated = ''] =
    segments.find((segment) => segment.startsWith(`MSA${separator}`))?.split(separator) ?? [];
  if (separator === '' || !/^[AC][AER]$/.test(code)) throw invalid('no acknowledgement');
  if (repeated !== controlId) throw invalid('the acknowledgement of another message');
  if (code.endsWith('A')) return;
  const where = errorCode(segments, separator);
  if (code.endsWith('E'))
    throw new HilumError('RECEIVER_UNAVAILABLE', 'transient', `the HL7 receiver answered ${code}${where}`);
  throw new HilumError('RECEIVER_REFUSED', 'permanent', `the HL7 receiver answered ${code}${where}`);
}

/** ERR-3.1, a number of table 0357. */
function errorCode(segments: readonly string[], separator: string): string {
  const found =
    segments
      .find((segment) => segment.startsWith(`ERR${separator}`))
      ?.split(separator)[3]
      ?.split('^')[0] ?? '';
  return /^\d{1,4}$/.test(found) ? ` (error ${found})` : '';
}

function invalid(what: string): HilumError {
  return new HilumError('RECEIVER_RESPONSE_INVALID', 'transient', `the HL7 receiver sent ${what}`);
}
