import { createHash } from 'node:crypto';
import { describeError, describeFailure, HilumError } from '../base/errors';
import type { Log } from '../base/log';
import type { Frame } from '../hl7/frame-reader';
import type { FrameHandler } from '../hl7/listener';
import { type Hl7Message, Hl7SyntaxError, readMessage, type Segment } from '../hl7/message';
import { answersTo, type Problem, type Verdict } from './answers';
import type { RisSender, RisStore, TakenAs } from './changes';
import type { RisConfig } from './config';
import { isOurs, MESSAGE_TYPES, type MessageType, messageTypeOf, readRisMessage, sentAt } from './read-message';

/** Labels of the metrics; `other`: a message type that is not accepted. */
export const RIS_MESSAGE_LABELS = [...MESSAGE_TYPES, 'other'] as const;
/**
 * Outcomes of a message in addition to those of the list. `error`: can't be used (AE); `refused`: not meant for this
 * receiver (AR, CR); `unanswered`: could not be stored, and will be sent again.
 */
export const RIS_OUTCOMES = [
  'applied',
  'kept',
  'patient-differs',
  'repeated',
  'ignored',
  'error',
  'refused',
  'unanswered',
] as const;
export type RisOutcome = (typeof RIS_OUTCOMES)[number];

/** Port: counts messages; `web/metrics` fits it by shape. */
export interface RisObserver {
  risMessage(type: (typeof RIS_MESSAGE_LABELS)[number], outcome: RisOutcome): void;
}

export interface ReceiverParts {
  readonly store: RisStore;
  readonly config: RisConfig;
  /** Time zone of times without an offset (IANA name). */
  readonly timeZone: string;
  /** MSH-3 of Hilum's own messages, which are ignored when they come back. */
  readonly ownApplications: readonly string[];
  readonly log: Log;
  readonly observer: RisObserver;
  readonly now?: () => number;
}

/** A message's verdict and outcome, and what is known of it so far. */
interface Judged {
  readonly verdict: Verdict;
  readonly outcome: RisOutcome;
  readonly type: (typeof RIS_MESSAGE_LABELS)[number];
  readonly header: Segment | null;
}

/**
 * Makes the handler of the listener's frames: parses a message, passes its changes to the list, and acknowledges what
 * is committed. A message that could not be committed gets no acknowledgement and the connection is closed: then the
 * sender sends it again, while after AE it may drop it.
 */
export function createReceiver(parts: ReceiverParts): FrameHandler {
  const { log, observer, now = Date.now } = parts;
  let isAway = false;
  const cameBack = () => {
    if (isAway) log.info({ event: 'ris.messages-taken-again' }, 'messages of the RIS are taken again');
    isAway = false;
  };
  const wentAway = (error: HilumError) => {
    observer.risMessage('other', 'unanswered');
    if (!isAway)
      log.warn(
        { event: 'ris.messages-unanswered', error: describeError(error) },
        'messages of the RIS can not be stored: they are not answered, so that they are sent again',
      );
    isAway = true;
    return null;
  };
  return async (frame, address) => {
    try {
      const { verdict, outcome, type, header } = await judge(frame, address, parts);
      observer.risMessage(type, outcome);
      if (isStored(outcome)) cameBack();
      tell({ verdict, outcome, type, header }, log);
      return answersTo(verdict, header, now());
    } catch (error) {
      if (error instanceof HilumError) return wentAway(error);
      throw error;
    }
  };
}

/** Whether the database was involved. */
function isStored(outcome: RisOutcome): boolean {
  return ['applied', 'kept', 'patient-differs', 'repeated'].includes(outcome);
}

function tell({ verdict, outcome, type }: Judged, log: Log): void {
  if (outcome === 'patient-differs')
    log.warn(
      { event: 'ris.patient-differs', type },
      'the list has the accession number of a message with another patient: it waits until they are the same',
    );
  else if (verdict.kind === 'accepted')
    log.debug({ event: 'ris.message-taken', type, outcome }, `a message of the RIS was ${outcome}`);
  else
    log.warn(
      { event: 'ris.message-refused', type, outcome, problem: verdict.problem.text },
      'a message of the RIS was not taken; its sender was told why',
    );
}

/** @throws HilumError where the message can't be stored */
async function judge(frame: Frame, address: string, parts: ReceiverParts): Promise<Judged> {
  let message: Hl7Message;
  try {
    message = readMessage(frame.bytes, parts.config.characterSet);
  } catch (error) {
    if (!(error instanceof Hl7SyntaxError)) throw error;
    return rejected({ error: 'sequence', text: error.message }, null);
  }
  const { header } = message;
  if (frame.isTooLong)
    return rejected({ error: 'internal', text: `longer than ${parts.config.listener.maxMessageBytes} bytes` }, header);
  const problem = headerProblem(header, parts.config);
  if (problem !== null) return rejected(problem, header);
  const type = messageTypeOf(message);
  if (type !== undefined) return judgeContent(type, message, address, parts);
  const isKnown = MESSAGE_TYPES.some((known) => known.startsWith(`${header.text(9, 1)}^`));
  const text = `not a message of the types ${MESSAGE_TYPES.join(', ')}`;
  return rejected({ error: isKnown ? 'event' : 'type', text }, header);
}

const rejected = (problem: Problem, header: Segment | null): Judged => ({
  verdict: { kind: 'rejected', problem },
  outcome: 'refused',
  type: 'other',
  header,
});

function headerProblem(header: Segment, { listener, processingId }: RisConfig): Problem | null {
  const isAllowed = listener.applications.some(
    ({ application, facility }) =>
      header.text(3) === application && (facility === undefined || header.text(4) === facility),
  );
  if (listener.applications.length > 0 && !isAllowed)
    return { error: 'internal', text: 'no sending application and facility (MSH-3, MSH-4) that may send' };
  if (header.text(10) === '') return { error: 'required', text: 'no message control ID (MSH-10)' };
  if (!/^(2\.\d.*)?$/.test(header.text(12))) return { error: 'version', text: 'not HL7 version 2' };
  if (!['', processingId].includes(header.text(11)))
    return { error: 'processingId', text: `only messages of processing ID ${processingId} are taken` };
  return null;
}

async function judgeContent(
  type: MessageType,
  message: Hl7Message,
  address: string,
  { store, config, timeZone, ownApplications, log, now = Date.now }: ReceiverParts,
): Promise<Judged> {
  const { header } = message;
  const accepted = (outcome: RisOutcome): Judged => ({ verdict: { kind: 'accepted' }, outcome, type, header });
  const failed = (problem: Problem): Judged => ({
    verdict: { kind: 'error', problem },
    outcome: 'error',
    type,
    header,
  });
  if (isOurs(message, ownApplications)) return accepted('ignored');
  try {
    const reading = readRisMessage(type, message, { ...config, timeZone }, now());
    if ('problem' in reading) return failed(reading.problem);
    if (reading.changes.length === 0) return accepted('ignored');
    const sent = { digest: digestOf(message), sentAt: sentAt(message, { timeZone }, now()), changes: reading.changes };
    return accepted((await store.take(sent, senderOf(header, address))) satisfies TakenAs);
  } catch (error) {
    if (error instanceof HilumError && error.code === 'DATABASE_REFUSED') return failed(NOT_TAKEN);
    if (error instanceof HilumError) throw error;
    // A defect of ours. Sent again, the message would fail again and delay all after it, so that it is answered.
    log.error({ event: 'ris.message-failed', error: describeFailure(error) }, 'a defect in Hilum: please report it');
    return failed({ error: 'internal', text: 'a defect of the receiver; its log has more' });
  }
}

/** Sent again, the message would be refused again and delay all after it. */
const NOT_TAKEN: Problem = {
  error: 'dataType',
  text: 'a value that the database does not take, such as a very long identifier',
};

function senderOf(header: Segment, address: string): RisSender {
  return { application: header.text(3), facility: header.text(4), address };
}

/**
 * Digest of a message, the same when it is sent again: sender, control ID and all segments but the header, as some
 * senders change its date. The content is included, because control IDs restart when a sender is set up again.
 */
function digestOf({ header, segments }: Hl7Message): string {
  const hash = createHash('sha256');
  for (const text of [header.text(3), header.text(4), header.text(10), ...segments.slice(1).map(({ line }) => line)])
    hash.update(text).update('\r');
  return hash.digest('base64');
}
