import type { Log } from '../../base/log';
import { acknowledgementsIn, readAck } from '../../hl7/acknowledgement';
import type { SystemSink } from '../sink';
import { isReplacement } from '../statements';
import { controlIdOf, encodeOru, type Hl7Options } from './message';

/** Port: sends a message and returns its acknowledgement; `hl7/mllp` fits it by shape. */
export interface MessageWire {
  exchange(message: Uint8Array, isLate?: (answer: Uint8Array) => boolean): Promise<Uint8Array>;
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** Number of control IDs that are remembered to recognise late acknowledgements. */
const REMEMBERED = 100;

/**
 * HL7 v2.5.1 ORU^R01. Studies without any chest film, now or before, are not sent. An application acknowledgement may
 * arrive long after the commit acknowledgement that ended its exchange (section 2.9.3): it is not the response to the
 * message being sent, and is only logged.
 */
export function hl7Sink(wire: MessageWire, options: Hl7Options, log?: Pick<Log, 'warn'>): SystemSink {
  const sent = new Set<string>();
  const tellLate = (codes: readonly string[]) =>
    log?.warn(
      { event: 'delivery.late-acknowledgement', codes },
      `the HL7 receiver answered ${codes.join(' and ')} to a message that was done before`,
    );
  return {
    handles: ['result', 'correction', 'replacement', 'withdrawal'],
    wants: ({ films }) => films.some((film) => film.outcome !== 'rejected' || isReplacement(film)),
    deliver: async ({ record }) => {
      const controlId = controlIdOf(record.key, options.controlId);
      const answer = await wire.exchange(encodeOru(record, options), (found) => {
        const codes = lateCodes(found, controlId, sent);
        if (codes.length > 0) tellLate(codes);
        return codes.length > 0;
      });
      remember(sent, controlId);
      if (readAck(answer, controlId).controlId === '')
        log?.warn(
          { event: 'delivery.unnamed-acknowledgement', study: record.studyInstanceUid },
          'the HL7 receiver acknowledged without MSA-2: taken for the message sent last on the connection',
        );
    },
    probe: () => wire.probe(),
    close: () => wire.close(),
  };
}

/** MSA-1 codes of a response that refers to earlier messages only. */
function lateCodes(answer: Uint8Array, controlId: string, sent: ReadonlySet<string>): string[] {
  const given = acknowledgementsIn(answer).filter(({ code }) => code !== '');
  const isLate = given.every(({ controlId: id }) => id !== controlId && sent.has(id));
  return isLate ? given.map(({ code }) => code) : [];
}

function remember(sent: Set<string>, controlId: string): void {
  sent.delete(controlId);
  sent.add(controlId);
  const [oldest] = sent;
  if (sent.size > REMEMBERED && oldest !== undefined) sent.delete(oldest);
}
