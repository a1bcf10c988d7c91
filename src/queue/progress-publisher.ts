import { encodeProgressEvent, type ProgressEvent } from '../events/progress-event';

/** Events that wait for the broker at most; beyond, new ones are dropped. */
const LIMIT = 1_000;

/**
 * Publishes progress events one after the other, so that they arrive in the order in which they were told, and in the
 * background: nobody waits for them. They are hints: what the broker does not take is dropped, and the result of the
 * study says in the end what became of it.
 */
export class ProgressPublisher {
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;

  /** @param publish one message, confirmed; may reject */
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

  /** Resolves when all that was told so far is published or dropped. */
  settled(): Promise<void> {
    return this.last;
  }
}
