import type { DeliveryKind } from '../events/closed-lists';
import type { ResultEvent } from '../events/result-event';
import type { StudyRecord } from './record';

/** The reading list as a sink: it is switched on by `list.enabled` and opened with the list's database. */
export const LIST_SINK = 'list';

/** What a sink is told. */
export interface SinkDelivery {
  readonly kind: DeliveryKind;
  readonly record: StudyRecord;
  /** Told by a sink that makes sure of what its receiver has: in which of its `ways`, and of how many objects. */
  readonly verified?: (way: string, objects: number) => void;
}

/**
 * Where results go: the reading list, HL7, FHIR, a webhook ... Each sink has a queue of its own, so that one that is
 * away holds up no other. It is told at least once; `record.key` tells a repetition.
 */
export interface Sink {
  /** Last part of the queue's name, e.g. `hl7`, or `hl7.ris` for one of several. */
  readonly name: string;
  /** Kinds of deliveries that it can tell its receiver; all others are acknowledged unread. */
  readonly handles: readonly DeliveryKind[];
  /** In which ways it makes sure of what its receiver has, for the metrics; absent where it has none to tell apart. */
  readonly ways?: readonly string[];
  /** Whether the sink wants this result at all, by the event alone: what it does not want is acknowledged unread. */
  wants(event: ResultEvent): boolean;
  /**
   * @throws HilumError transient to be told again later, permanent to have the message dead-lettered with its reason.
   */
  deliver(delivery: SinkDelivery): Promise<void>;
  /**
   * Connects and signs in without delivering anything, for `hilum doctor`. @returns a sentence where
   * there is something to add; @throws HilumError
   */
  probe?(): Promise<unknown>;
  close?(): Promise<void>;
}

/** A sink to another system, as its folder makes it; the registry gives it its name. */
export type SystemSink = Omit<Required<Sink>, 'name' | 'ways'> & Pick<Sink, 'ways'>;
