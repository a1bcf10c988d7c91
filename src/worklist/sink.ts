import { LIST_SINK, type Sink } from '../sinks/sink';
import type { Worklist } from './worklist';

/** The reading list as a sink of results. */
export function listSink(worklist: Pick<Worklist, 'record'>): Sink {
  return {
    name: LIST_SINK,
    handles: ['result'],
    wants: () => true,
    deliver: async ({ record }) => {
      await worklist.record(record);
    },
  };
}
