/**
 * Waits `ms` milliseconds. An aborted signal ends the wait early, without an error: the caller looks at the signal
 * itself.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const timer = setTimeout(finish, ms);
    function finish(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    }
    signal?.addEventListener('abort', finish);
  });
}

export interface Backoff {
  /** Longest wait before the first repetition (milliseconds). */
  readonly baseMs: number;
  /** Longest wait of all (milliseconds). */
  readonly maxMs: number;
}

/**
 * Delay before repetition `attempt` (0 for the first), in milliseconds: doubled each time up to the maximum, then
 * reduced by a random part of up to half, so that workers that lost the same server don't come back in step.
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: Backoff, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}

/**
 * Resolves or rejects like `promise`, or rejects with the error of `late` after `ms` milliseconds. The promise itself
 * runs on; its later failure is ignored.
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), Math.max(0, ms));
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
