import { encodeProgressEvent, type ProgressEvent } from '../events/progress-event';

/** Largest number of events that wait for the broker; further ones are dropped. */
const LIMIT = 1_000;

/**
 * Publishes progress events one after the other, in order, in the background. Events that the broker does not take are
 * dropped: the study's result follows in the end.
 */
export class ProgressPublisher {
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;

  /** @param publish publishes one message with a confirm; may reject */
  constructor(private readonly publish: (body: Buffer) => Promise<void>) {}

  /** Neither throws nor waits. */
  tell(event: ProgressEvent): void {
    if (this.waiting >= LIMIT) return;
    this.waiting++;
    this.last = this.last
      .then(() => this.publish(encodeProgressEvent(event)))
      .catch(() => {})
      .finally(() => this.waiting--);
  }

  /** Resolves when all earlier events are published or dropped. */
  settled(): Promise<void> {
    return this.last;
  }
}
