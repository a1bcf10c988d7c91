/**
 * How long the oldest message of a queue has waited, at most, without a look at it: taking a message only to look marks
 * it as redelivered, and AMQP 0-9-1 has no other way. What is known: the head came after the last message that was
 * taken, and after the last time that the queue was empty. All times in milliseconds since 1970.
 */
export class QueueAge {
  /** What waits now was published after this. */
  private since: number;

  constructor(now: number) {
    this.since = now;
  }

  /** A message was taken that had been published at `publishedAt`; null where that is not known. */
  taken(publishedAt: number | null): void {
    if (publishedAt !== null && (this.isFresh || publishedAt > this.since)) this.since = publishedAt;
    this.isFresh = false;
  }

  empty(now: number): void {
    this.since = Math.max(this.since, now);
    this.isFresh = false;
  }

  /** Seconds; 0 for an empty queue. */
  seconds(messages: number, now: number): number {
    return messages === 0 ? 0 : Math.max(0, (now - this.since) / 1000);
  }

  /** Nothing was seen yet: what waits may be older than this process. */
  private isFresh = true;
}
