import type { Config } from '../config/config';
import { type ProgressNotes, progressNotes } from '../events/progress-event';
import type { Broker } from '../queue/broker';
import type { OpenedList } from './list';

/**
 * Where a worker's notes of its studies go: straight to the list of this process, else over the broker to the process
 * that keeps it. Null where no list is kept.
 */
export function openProgress(
  config: Pick<Config, 'list'>,
  list: OpenedList | null,
  broker: Pick<Broker, 'tellProgress'>,
): ProgressNotes | null {
  if (list !== null) return progressNotes((event) => list.progress.note(event));
  return config.list.enabled ? progressNotes((event) => broker.tellProgress(event)) : null;
}
