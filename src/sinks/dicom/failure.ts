import { HilumError } from '../../base/errors';

/** What Orthanc says of a DIMSE operation that failed: HTTP 500 with JSON. Only numbers and fixed words are taken. */
export interface OrthancFailure {
  /** OrthancStatus: the number of its own error. */
  readonly code: number;
  /** In Orthanc's words; never told on, as it may name anything. */
  readonly details: string;
}

/** Of Orthanc's own errors: no presentation context was accepted, and the same of C-FIND. */
const NO_CONTEXT: ReadonlySet<number> = new Set([2015, 2016]);
/** Of a transfer syntax that it can't turn into one that was accepted. */
const NOT_IMPLEMENTED = 2;

/** What the peer does not offer, and never will unless somebody changes its configuration. */
export class NotOfferedError extends HilumError {}

/**
 * The error for an operation that Orthanc could not do with the peer.
 * @param action as the sentence goes on: `PACS refused to ...`
 */
export function failureError(peer: string, action: string, { code, details }: OrthancFailure): HilumError {
  const status = /DIMSE status 0x([0-9A-F]{4})/i.exec(details)?.[1];
  if (status !== undefined) return statusError(peer, action, Number.parseInt(status, 16));
  if (NO_CONTEXT.has(code) || (code === NOT_IMPLEMENTED && /transcode/i.test(details)))
    return new NotOfferedError(
      'RECEIVER_REFUSED',
      'permanent',
      `${peer} refused to ${action}: it accepts neither the SOP Class nor another transfer syntax of it`,
    );
  if (/rejected/i.test(details))
    return away(`${peer} rejected the association to ${action}: does it know Orthanc's AE title and address?`);
  return away(`no association with ${peer} to ${action}`);
}

/** Tried again for as long as a receiver may be away: its administrator can mend it meanwhile, and nothing is lost. */
const away = (text: string) => new HilumError('RECEIVER_UNREACHABLE', 'transient', text);

/**
 * By the status of C-STORE (PS3.4 table B.2-1, PS3.7 annex C): out of resources (A7xx) and processing failures pass, a
 * SOP Class or a data set that is refused stays refused.
 */
function statusError(peer: string, action: string, status: number): HilumError {
  const name = `0x${status.toString(16).toUpperCase().padStart(4, '0')}`;
  const family = status & 0xff00;
  if (family === 0xa700)
    return new HilumError('RECEIVER_UNAVAILABLE', 'transient', `${peer} is out of resources to ${action} (${name})`);
  if (status === 0x0122 || status === 0x0124 || family === 0xa900 || (status & 0xf000) === 0xc000)
    return new HilumError('RECEIVER_REFUSED', 'permanent', `${peer} refused to ${action} (${name})`);
  return new HilumError('RECEIVER_UNAVAILABLE', 'transient', `${peer} can't ${action} now (${name})`);
}
