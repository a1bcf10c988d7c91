import type { ConsumedMessage } from '../../../src/queue/message';

/**
 * A message in hand as the broker gives it the first time. `settled` writes down how it was settled: `ack`, `retry 5000
 * CODE`, `dead CODE`, `requeue 0`, `continue later`, `nack`.
 */
export function consumedMessage(
  body: Uint8Array,
  more: Partial<ConsumedMessage> = {},
): ConsumedMessage & { readonly settled: readonly string[] } {
  const settled: string[] = [];
  const note = (...words: (string | number)[]) => {
    settled.push(words.join(' '));
    return Promise.resolve();
  };
  return {
    settled,
    body,
    messageId: undefined,
    redelivered: false,
    outlivedBroker: false,
    attempt: 1,
    hasFailed: false,
    away: 0,
    refused: 0,
    lost: 0,
    slices: 0,
    waitedSeconds: null,
    span: { name: 'process test', parent: {} },
    get isSettled() {
      return settled.length > 0;
    },
    ack: () => note('ack'),
    retry: (delayMs, reason) => note('retry', delayMs, reason),
    deadLetter: (reason) => note('dead', reason),
    nack: () => note('nack'),
    requeue: (delayMs) => note('requeue', delayMs),
    continueLater: () => note('continue later'),
    ...more,
  };
}
