import { hostname } from 'node:os';
import type { Config } from '../config/config';
import { type ProgressEvent, type ProgressNotes, progressNotes } from '../events/progress-event';
import type { Broker } from '../queue/broker';

/**
 * Where a worker reports the progress of studies: straight to the list of this process, else over the broker to the
 * process that keeps it. Null where no list is kept.
 * @param noteHere null where this process does not keep the list
 */
export function openProgress(
  config: Pick<Config, 'list'>,
  noteHere: ((event: ProgressEvent) => void) | null,
  broker: Pick<Broker, 'publishProgress'>,
): ProgressNotes | null {
  const worker = `${hostname()}:${process.pid}`;
  if (noteHere !== null) return progressNotes(noteHere, Date.now, worker);
  return config.list.enabled ? progressNotes((event) => broker.publishProgress(event), Date.now, worker) : null;
}
