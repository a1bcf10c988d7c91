import { HilumError } from '../../base/errors';
import { UnavailableError } from '../../net/http';

/** What Orthanc says of a DIMSE operation that failed, in JSON. Only numbers and fixed words are taken. */
export interface OrthancFailure {
  /** OrthancStatus: the number of its own error. */
  readonly code: number;
  /** In Orthanc's words; never told on, as it may name anything. */
  readonly details: string;
}

/** What a peer is asked for, as sentences go on: `PACS refused to ...` */
const ACTIONS = {
  echo: 'verify the connection (C-ECHO)',
  store: 'store an object (C-STORE)',
  find: 'search (C-FIND)',
  commit: 'commit to storage (N-ACTION)',
} as const;
export type Operation = keyof typeof ACTIONS;
export const actionOf = (operation: Operation): string => ACTIONS[operation];

/** Of Orthanc's own errors: no presentation context was accepted, and the same of C-FIND. */
const NO_CONTEXT: ReadonlySet<number> = new Set([2015, 2016]);
/** The same without such a number: a peer for which Orthanc may not transcode, and a transcoding that it can't do. */
const NO_CONTEXT_WORDS = /cannot transcode|no valid presentation context/i;

/**
 * What the peer does not offer. Permanent where it accepts no presentation context; transient where it fails to do what
 * it accepted.
 */
export class NotOfferedError extends HilumError {}

/** C-STORE of an object that the peer has already: what is wanted is there. */
export class HeldAlreadyError extends HilumError {}

/** The error for an operation that Orthanc could not do with the peer. */
export function failureError(peer: string, operation: Operation, { code, details }: OrthancFailure): HilumError {
  const action = ACTIONS[operation];
  const status = /DIMSE status (?:0x)?([0-9A-F]{4})/i.exec(details)?.[1];
  if (status !== undefined) return statusError(peer, operation, Number.parseInt(status, 16));
  if (NO_CONTEXT.has(code) || NO_CONTEXT_WORDS.test(details))
    return new NotOfferedError(
      'RECEIVER_REFUSED',
      'permanent',
      `${peer} refused to ${action}: it accepts neither the SOP Class nor another transfer syntax of it`,
    );
  // Orthanc tells no status of N-ACTION: the association was there, and what was asked for in it failed.
  if (operation === 'commit' && /^Storage commitment - /.test(details)) return failing(peer, action);
  if (/rejected/i.test(details))
    return away(`${peer} rejected the association to ${action}: does it know Orthanc's AE title and address?`);
  return away(`no association with ${peer} to ${action}`);
}

/** Tried again for as long as a receiver may be away: its administrator can mend it meanwhile, and nothing is lost. */
export const away = (text: string) => new HilumError('RECEIVER_UNREACHABLE', 'transient', text);

const failing = (peer: string, action: string, status = '') =>
  new NotOfferedError('RECEIVER_UNAVAILABLE', 'transient', `${peer} can't ${action} now${status}`);

/**
 * By the status (PS3.4 tables B.2-1 and C.4-1, PS3.7 annex C). Out of resources (A7xx): it can take nothing until
 * somebody makes room, as if it were away. Of C-STORE a SOP Class or a data set that is refused stays refused, all else
 * may pass; another failure of C-FIND says nothing of the object.
 */
function statusError(peer: string, operation: Operation, status: number): HilumError {
  const action = ACTIONS[operation];
  const name = `(0x${status.toString(16).toUpperCase().padStart(4, '0')})`;
  const family = status & 0xff00;
  if (family === 0xa700)
    return new UnavailableError(`${peer} is out of resources to ${action} ${name}`, undefined, RECEIVER(peer), true);
  if (operation !== 'store') return failing(peer, action, ` ${name}`);
  if (status === 0x0111) return new HeldAlreadyError('RECEIVER_REFUSED', 'permanent', `${peer} has it already ${name}`);
  if (status === 0x0122 || status === 0x0124 || family === 0xa900 || (status & 0xf000) === 0xc000)
    return new HilumError('RECEIVER_REFUSED', 'permanent', `${peer} refused to ${action} ${name}`);
  return new HilumError('RECEIVER_UNAVAILABLE', 'transient', `${peer} can't ${action} now ${name}`);
}

const RECEIVER = (name: string) => ({ code: 'RECEIVER', name }) as const;
