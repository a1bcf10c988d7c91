/**
 * Upper bound of the waiting time of a queue's oldest message, without taking it: basic.get would mark it as
 * redelivered, and AMQP 0-9-1 has no other way to look. The first message was published after the last one that was
 * taken, and after the queue was last empty. All times in milliseconds since 1970.
 */
export class QueueAge {
  /** Messages that wait now were published after this time. */
  private since: number;

  constructor(now: number) {
    this.since = now;
  }

  /** A message was taken that had been published at `publishedAt`; null where unknown. */
  taken(publishedAt: number | null): void {
    if (publishedAt !== null && (this.isFresh || publishedAt > this.since)) this.since = publishedAt;
    this.isFresh = false;
  }

  empty(now: number): void {
    this.since = Math.max(this.since, now);
    this.isFresh = false;
  }

  /** In seconds; 0 for an empty queue. */
  seconds(messages: number, now: number): number {
    return messages === 0 ? 0 : Math.max(0, (now - this.since) / 1000);
  }

  /** No message was taken yet: those that wait may be older than this process. */
  private isFresh = true;
}
