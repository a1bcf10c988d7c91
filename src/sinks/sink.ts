import type { DeliveryKind } from '../events/closed-lists';
import type { ResultEvent } from '../events/result-event';
import type { StudyRecord } from './record';

/** Name of the reading list as a sink: switched on by `list.enabled`, opened with the list's database. */
export const LIST_SINK = 'list';

/** One delivery. */
export interface SinkDelivery {
  readonly kind: DeliveryKind;
  readonly record: StudyRecord;
  /** Called by a sink that verifies its deliveries: the way, and the number of objects. */
  readonly verified?: (way: string, objects: number) => void;
}

/**
 * A destination of results: reading list, HL7, FHIR, a webhook ... Each has a queue of its own, so that one that is
 * away does not delay the others. Deliveries happen at least once; `record.key` identifies repetitions.
 */
export interface Sink {
  /** Last part of the queue's name, e.g. `hl7`, or `hl7.ris` for one of several. */
  readonly name: string;
  /** Kinds of deliveries that it supports; others are acknowledged without reading the record. */
  readonly handles: readonly DeliveryKind[];
  /** Ways in which it verifies deliveries, for the metrics; absent where there are none to distinguish. */
  readonly ways?: readonly string[];
  /**
   * Whether the sink wants this result, by the event alone; an unwanted one is acknowledged without reading the record.
   */
  wants(event: ResultEvent): boolean;
  /** @throws HilumError transient: delivered again later; permanent: dead-lettered with the reason */
  deliver(delivery: SinkDelivery): Promise<void>;
  /**
   * Connects and signs in without a delivery, for `hilum doctor`.
   * @returns a sentence where there is more to report
   * @throws HilumError
   */
  probe?(): Promise<unknown>;
  close?(): Promise<void>;
}

/** A sink for another system, as its folder makes it; the registry adds the name. */
export type SystemSink = Omit<Required<Sink>, 'name' | 'ways'> & Pick<Sink, 'ways'>;
