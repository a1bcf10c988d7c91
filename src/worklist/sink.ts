import type { Log } from '../base/log';
import { LIST_SINK, type Sink } from '../sinks/sink';
import type { Worklist } from './worklist';

/** The reading list as a sink of results. */
export function listSink(worklist: Pick<Worklist, 'record'>, log: Log): Sink {
  return {
    name: LIST_SINK,
    handles: ['result', 'replacement', 'withdrawal'],
    wants: () => true,
    deliver: async ({ record }) => {
      await worklist.record(record, () =>
        log.info(
          { event: 'delivery.superseded', sink: LIST_SINK, study: record.studyInstanceUid },
          'the list has a later result; this one is left',
        ),
      );
    },
  };
}
