import { HilumError } from '../../base/errors';
import type { Uid } from '../../dicom/uid';
import type { StudyRecord } from '../record';
import type { SystemSink } from '../sink';
import { isReplacement } from '../statements';
import { metadataChanges, type MetadataName, type MetadataValues } from './message';

/** A value and its revision, which a change has to name; both '' where there is none. */
export interface Revised {
  readonly value: string;
  readonly etag: string;
}

/**
 * Port: the metadata of an Orthanc; `sinks/orthanc-metadata/client` fits it by shape. Every method throws HilumError.
 */
export interface MetadataServer {
  /** Orthanc's ids of a study; several where two patients share its UID. */
  find(study: Uid): Promise<string[]>;
  read(id: string, index: number): Promise<Revised>;
  /** False when the value was changed meanwhile. */
  write(id: string, index: number, value: string, etag: string): Promise<boolean>;
  /** Connects and signs in; changes nothing. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** Numbers of the three metadata in Orthanc. */
export type MetadataIndexes = Readonly<Record<MetadataName, number>>;

/** Attempts for a value that is changed by others meanwhile. */
const TRIES = 3;

/** Writes priority and probability as metadata of the study, for worklists outside of Orthanc. */
export function metadataSink(server: MetadataServer, indexes: MetadataIndexes): SystemSink {
  return {
    // Orthanc drops metadata when a study is moved to another patient.
    handles: ['result', 'correction', 'replacement', 'withdrawal'],
    // Where no film has a live finding, now or before, there is nothing to write.
    wants: ({ priority, films }) => priority !== null || films.some(isReplacement),
    deliver: async ({ record }) => {
      const ids = await server.find(record.studyInstanceUid);
      if (ids.length === 0) throw new HilumError('NOT_FOUND', 'permanent', 'Orthanc does not have the study');
      for (const id of ids) await tell(server, id, indexes, record);
    },
    probe: () => server.probe(),
    close: () => server.close(),
  };
}

async function tell(server: MetadataServer, id: string, indexes: MetadataIndexes, record: StudyRecord): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) if (await tryToTell(server, id, indexes, record)) return;
  throw new HilumError('RECEIVER_UNAVAILABLE', 'transient', 'the metadata of the study changed at each try');
}

async function tryToTell(
  server: MetadataServer,
  id: string,
  indexes: MetadataIndexes,
  record: StudyRecord,
): Promise<boolean> {
  const there: Record<MetadataName, Revised> = {
    priority: await server.read(id, indexes.priority),
    probability: await server.read(id, indexes.probability),
    written: await server.read(id, indexes.written),
  };
  const values: MetadataValues = {
    priority: there.priority.value,
    probability: there.probability.value,
    written: there.written.value,
  };
  for (const [name, value] of metadataChanges(record, values) ?? []) {
    if (!(await server.write(id, indexes[name], value, there[name].etag))) return false;
  }
  return true;
}
