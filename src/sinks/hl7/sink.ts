import { readAck } from '../../hl7/acknowledgement';
import type { SystemSink } from '../sink';
import { isReplacement } from '../statements';
import { controlIdOf, encodeOru, type Hl7Options } from './message';

/** Port: one message out, its acknowledgement in; `hl7/mllp` fits it by shape. */
export interface MessageWire {
  exchange(message: Uint8Array): Promise<Uint8Array>;
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** HL7 v2.5.1 ORU^R01. Studies in which no film of the chest was found, now or before, are not told. */
export function hl7Sink(wire: MessageWire, options: Hl7Options): SystemSink {
  return {
    handles: ['result', 'replacement'],
    wants: ({ films }) => films.some((film) => film.outcome !== 'rejected' || isReplacement(film)),
    deliver: async ({ record }) =>
      readAck(await wire.exchange(encodeOru(record, options)), controlIdOf(record.key, options.controlId)),
    probe: () => wire.probe(),
    close: () => wire.close(),
  };
}
