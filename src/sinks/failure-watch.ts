import { describeFailure } from '../base/errors';
import type { Log } from '../base/log';

/** How long deliveries must fail before it is logged (milliseconds), so that a restart of the receiver is not. */
export const FAILING_MS = 5 * 60_000;

/**
 * Logs once when a sink has failed for long, with the cause, and once when it works again. A failing sink does not make
 * the service unready: studies are analysed and stored all the same.
 */
export class FailureWatch {
  private since: number | null = null;
  private isTold = false;

  constructor(
    private readonly sink: string,
    private readonly log: Log,
    private readonly observer: { failingSince(sink: string, since: number | null): void },
    private readonly now: () => number,
  ) {}

  /** @throws the error of `deliver` */
  async over<T>(deliver: () => Promise<T>): Promise<T> {
    try {
      const result = await deliver();
      this.succeeded();
      return result;
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  private failed(failure: unknown): void {
    this.since ??= this.now();
    this.observer.failingSince(this.sink, this.since);
    const seconds = (this.now() - this.since) / 1000;
    if (this.isTold || seconds * 1000 < FAILING_MS) return;
    this.isTold = true;
    this.log.error(
      { event: 'delivery.failing', seconds, error: describeFailure(failure) },
      'nothing can be delivered to this sink; results wait in its queues, and studies are analysed all the same',
    );
  }

  private succeeded(): void {
    if (this.isTold && this.since !== null)
      this.log.info(
        { event: 'delivery.recovered', seconds: (this.now() - this.since) / 1000 },
        'results are delivered to this sink again',
      );
    this.since = null;
    this.isTold = false;
    this.observer.failingSince(this.sink, null);
  }
}
