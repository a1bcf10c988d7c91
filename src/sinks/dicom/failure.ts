import { HilumError } from '../../base/errors';
import { UnavailableError } from '../../net/http';

/** Orthanc's JSON about a failed DIMSE operation. Only numbers and known phrases are used. */
export interface OrthancFailure {
  /** OrthancStatus: Orthanc's own error number. */
  readonly code: number;
  /** Orthanc's text; never passed on, as it may name anything. */
  readonly details: string;
}

/** Operations at the peer, as in `PACS refused to ...` */
const ACTIONS = {
  echo: 'verify the connection (C-ECHO)',
  store: 'store an object (C-STORE)',
  find: 'search (C-FIND)',
  commit: 'commit to storage (N-ACTION)',
} as const;
export type Operation = keyof typeof ACTIONS;
export const actionOf = (operation: Operation): string => ACTIONS[operation];

/** Orthanc's error numbers for: no presentation context accepted; and the same for C-FIND. */
const NO_CONTEXT: ReadonlySet<number> = new Set([2015, 2016]);
/** The same without a number: a peer for which Orthanc may not transcode, or a transcoding that it can't do. */
const NO_CONTEXT_WORDS = /cannot transcode|no valid presentation context/i;

/**
 * The peer does not offer an operation. Permanent where it accepts no presentation context; transient where it fails at
 * what it has accepted.
 */
export class NotOfferedError extends HilumError {}

/** C-STORE of an object that the peer already has, which counts as success. */
export class HeldAlreadyError extends HilumError {}

/** The error for an operation with the peer that failed. */
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
  // Orthanc does not report the status of N-ACTION: the association was accepted, and the request in it failed.
  if (operation === 'commit' && /^Storage commitment - /.test(details)) return failing(peer, action);
  if (/rejected/i.test(details))
    return away(`${peer} rejected the association to ${action}: does it know Orthanc's AE title and address?`);
  return away(`no association with ${peer} to ${action}`);
}

/** Retried for as long as a receiver may be away: its administrator can fix it meanwhile, and nothing is lost. */
export const away = (text: string) => new HilumError('RECEIVER_UNREACHABLE', 'transient', text);

const failing = (peer: string, action: string, status = '') =>
  new NotOfferedError('RECEIVER_UNAVAILABLE', 'transient', `${peer} can't ${action} now${status}`);

/**
 * Error by DIMSE status (PS3.4 tables B.2-1 and C.4-1, PS3.7 annex C). Out of resources (A7xx): counts as away, until
 * somebody frees space. For C-STORE, a refused SOP Class or data set is permanent, all others are transient; other
 * failures of C-FIND say nothing about the object.
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
