import type { SystemSink } from '../sink';
import { concernsUrgency, isReplacement } from '../statements';
import { webhookHeaders, webhookMessage } from './message';

/** Port: who takes the message; `sinks/webhook/client` fits it by shape. @throws HilumError */
export interface WebhookReceiver {
  post(body: string, headers: Record<string, string>): Promise<void>;
  /** Connects and signs in; changes nothing. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

export interface WebhookSettings {
  readonly when: 'urgent' | 'all';
  readonly includePatient: boolean;
  readonly secret: string;
}

/** Posts each result that the settings select; `webhook-id` identifies repetitions. */
export function webhookSink(
  receiver: WebhookReceiver,
  { when, includePatient, secret }: WebhookSettings,
  now: () => number = Date.now,
): SystemSink {
  return {
    // Without patient data in the message there is nothing to correct.
    handles: ['result', ...(includePatient ? (['correction'] as const) : []), 'replacement', 'withdrawal'],
    wants: ({ priority, films }) => when === 'all' || priority === 'urgent' || films.some(isReplacement),
    deliver: async ({ record }) => {
      // The record is read from the archive and may be newer than the event.
      if (when === 'urgent' && !concernsUrgency(record)) return;
      const body = JSON.stringify(webhookMessage(record, includePatient));
      await receiver.post(body, webhookHeaders(record.key, Math.floor(now() / 1000), body, secret));
    },
    probe: () => receiver.probe(),
    close: () => receiver.close(),
  };
}
