import type { SystemSink } from '../sink';
import { isReplacement } from '../statements';
import { encodeBundle, type FhirOptions } from './message';
import type { Transaction } from './types';

/** Port: a FHIR server; `sinks/fhir/client` fits it by shape. */
export interface TransactionServer {
  transact(bundle: Transaction): Promise<void>;
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** FHIR R4. Studies without any chest film, now or before, are not sent. */
export function fhirSink(server: TransactionServer, options: FhirOptions): SystemSink {
  return {
    handles: ['result', 'correction', 'replacement', 'withdrawal'],
    wants: ({ films }) => films.some((film) => film.outcome !== 'rejected' || isReplacement(film)),
    deliver: ({ record }) => server.transact(encodeBundle(record, options)),
    probe: () => server.probe(),
    close: () => server.close(),
  };
}
