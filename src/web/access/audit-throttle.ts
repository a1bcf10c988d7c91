import type { Actor, SystemEvent } from '../audit/events';
import type { AuditRecorder } from '../audit/recorder';
import { networkOf } from '../../net/network';

/** Failed attempts of somebody who has not signed in. */
type InVain = Extract<SystemEvent, { readonly outcome: string } | { readonly kind: 'refused' }>;

const WINDOW_MS = 60_000;
/** Largest number of networks and kinds that are counted at the same time. */
const MAX_COUNTED = 1_000;
/** Longest text of a provider or a browser (characters). */
const LONGEST_WHY = 300;

interface Repeated {
  readonly event: InVain;
  actor: Actor;
  more: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Limits audit messages that anybody can cause without a sign-in: for each network and kind the first is recorded at
 * once, those within the next minute as one message with their number. So each network causes at most two messages a
 * minute. A message about several accounts names none.
 */
export class AuditThrottle {
  private readonly counted = new Map<string, Repeated>();

  constructor(
    private readonly recorder: Pick<AuditRecorder, 'record'>,
    private readonly windowMs = WINDOW_MS,
  ) {}

  /** @throws HilumError AUDIT_FAILED */
  async record(actor: Actor, event: InVain): Promise<void> {
    const key = [networkOf(actor.address ?? ''), event.kind, event.kind === 'refused' ? '' : event.outcome].join(' ');
    const before = this.counted.get(key);
    if (before !== undefined) {
      before.more += 1;
      if (before.actor.id !== actor.id) before.actor = { ...actor, id: 'several', name: 'several' };
      return;
    }
    if (this.counted.size >= MAX_COUNTED) await this.tellAll();
    this.count(key, { actor, event, more: 0 });
    try {
      await this.recorder.record(actor, worded(event, ''));
    } catch (error) {
      this.forget(key);
      throw error;
    }
  }

  /** Records everything counted so far. */
  async tellAll(): Promise<void> {
    await Promise.all([...this.counted.keys()].map((key) => this.tell(key)));
  }

  private async tell(key: string): Promise<void> {
    const told = this.forget(key);
    if (told === undefined || told.more === 0) return;
    try {
      await this.recorder.record(told.actor, worded(told.event, `; ${told.more} more times`));
    } catch (error) {
      // Recorded later, when the trail can be written again.
      this.count(key, told);
      throw error;
    }
  }

  private count(key: string, { actor, event, more }: Omit<Repeated, 'timer'>): void {
    const timer = setTimeout(() => void this.tell(key).catch(() => {}), this.windowMs).unref();
    this.counted.set(key, { actor, event, more, timer });
  }

  private forget(key: string): Repeated | undefined {
    const counted = this.counted.get(key);
    clearTimeout(counted?.timer);
    this.counted.delete(key);
    return counted;
  }
}

function worded(event: InVain, more: string): InVain {
  return event.kind === 'refused'
    ? { ...event, what: `${event.what.slice(0, LONGEST_WHY)}${more}` }
    : { ...event, why: `${(event.why ?? '').slice(0, LONGEST_WHY)}${more}` };
}
