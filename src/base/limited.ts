/** Runs at most `most` tasks at the same time; the others wait in order. */
export function limited(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The slot goes straight to the next one waiting, so that a newcomer can't take it first.
      if (next === undefined) running--;
      else next();
    }
  };
}
