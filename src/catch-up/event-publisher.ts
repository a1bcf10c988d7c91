import { HilumError } from '../base/errors';
import type { StudyEvent } from '../events/study-event';
import type { CatchUpConfig } from './config';

/** Ports; `app/catch-up` fits the broker to them. */
export interface EventPublisherPorts {
  /** Resolves when the broker has confirmed the event. */
  publish(event: StudyEvent): Promise<void>;
  /** Number of studies in the work queues. */
  depth(): Promise<number>;
}

export interface EventPublisherOptions extends Readonly<Pick<CatchUpConfig, 'studiesPerMinute' | 'queueLimit'>> {
  readonly stopping: AbortSignal;
  /** Called once for each study that has to wait for room, with the number of studies in the queue. */
  readonly onFull: (waiting: number) => void;
}

export interface Time {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Interval at which a full queue is looked at again (milliseconds). */
const QUEUE_POLL_MS = 5_000;

/**
 * Publishes study events of Hilum's own, at a limited rate and only while the queue has room, so that new studies are
 * not delayed.
 */
export class EventPublisher {
  private nextAt = 0;

  constructor(
    private readonly ports: EventPublisherPorts,
    private readonly options: EventPublisherOptions,
    private readonly time: Time,
  ) {}

  /** @throws HilumError of the broker; STOPPING */
  async publish(event: Pick<StudyEvent, 'studyInstanceUid' | 'source' | 'reanalyze' | 'priority'>): Promise<void> {
    await this.pace();
    await this.waitForRoom();
    await this.ports.publish({
      schemaVersion: 1,
      type: 'study-stable',
      ...event,
      occurredAt: new Date(this.time.now()).toISOString(),
    });
  }

  throwIfStopping(): void {
    if (this.options.stopping.aborted) throw new HilumError('STOPPING', 'transient', 'asked to stop');
  }

  private async pace(): Promise<void> {
    const stepMs = 60_000 / this.options.studiesPerMinute;
    // At most one step ahead, also where the clock was set back.
    const nextAt = Math.min(this.nextAt, this.time.now() + stepMs);
    const waitMs = nextAt - this.time.now();
    if (waitMs > 0) await this.time.sleep(waitMs, this.options.stopping);
    this.nextAt = Math.max(nextAt, this.time.now()) + stepMs;
  }

  /** Waits until the queue is below its limit. Checked before each event, because others publish too. */
  private async waitForRoom(): Promise<void> {
    for (let isReported = false; ; isReported = true) {
      this.throwIfStopping();
      const waiting = await this.ports.depth();
      if (waiting < this.options.queueLimit) return;
      if (!isReported) this.options.onFull(waiting);
      await this.time.sleep(QUEUE_POLL_MS, this.options.stopping);
    }
  }
}
