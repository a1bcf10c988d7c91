import type { ResultEvent } from '../events/result-event';
import type { SinkName } from '../events/sink-names';
import type { StudyRecord } from './record';

/**
 * Where results go: the reading list, HL7, FHIR, a webhook ... Each sink has a queue of its own, so that one that is
 * away holds up no other. It is told at least once; `record.key` tells a repetition.
 */
export interface Sink {
  /** Last part of the queue's name, e.g. `hl7`. */
  readonly name: SinkName;
  /** Whether the sink wants this result at all, by the event alone: what it does not want is acknowledged unread. */
  wants(event: ResultEvent): boolean;
  /**
   * @throws HilumError transient to be told again later, permanent to have the message dead-lettered with its reason.
   */
  deliver(record: StudyRecord): Promise<void>;
  /** Connects and signs in without delivering anything, for `hilum doctor`. @throws HilumError */
  probe?(): Promise<void>;
  close?(): Promise<void>;
}
