import { sleep } from '../../base/retry';
import type { Language } from '../../language/say';
import type { SystemSink } from '../sink';
import { concernsUrgency, isReplacement } from '../statements';
import { emailMessage, type EmailMessage } from './message';

/** Port: a mail server; `sinks/email/client` fits it by shape. @throws HilumError */
export interface MailServer {
  send(message: EmailMessage): Promise<void>;
  /** Connects and signs in; changes nothing. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

export interface EmailSettings {
  readonly from: string;
  readonly when: 'urgent' | 'all';
  readonly includePatient: boolean;
  /** English by default. */
  readonly language?: Language;
  /** Largest number of messages in any minute. */
  readonly perMinute: number;
}

const MINUTE_MS = 60_000;

/**
 * One mail for each result that the settings select. Above `perMinute` a message waits here instead of being retried,
 * as a busy night would use up the attempts.
 */
export function emailSink(
  server: MailServer,
  settings: EmailSettings,
  clock: { now(): number; wait(ms: number, signal: AbortSignal): Promise<void> } = { now: Date.now, wait: sleep },
): SystemSink {
  const { when, includePatient, perMinute } = settings;
  const closing = new AbortController();
  let sent: number[] = [];
  const turn = async (): Promise<void> => {
    sent = sent.filter((at) => at > clock.now() - MINUTE_MS);
    if (sent.length >= perMinute) await clock.wait(sent[0]! + MINUTE_MS - clock.now(), closing.signal);
    sent = [...sent, clock.now()].slice(-perMinute);
  };
  return {
    // Without patient data in the mail there is nothing to correct.
    handles: ['result', ...(includePatient ? (['correction'] as const) : []), 'replacement', 'withdrawal'],
    wants: ({ priority, films }) => when === 'all' || priority === 'urgent' || films.some(isReplacement),
    deliver: async ({ record }) => {
      // The record is read from the archive and may be newer than the event.
      if (when === 'urgent' && !concernsUrgency(record)) return;
      await turn();
      await server.send(emailMessage(record, settings));
    },
    probe: () => server.probe(),
    close: async () => {
      closing.abort();
      await server.close();
    },
  };
}
