/** Numbers of films by which of two readers call them positive. */
export interface CallCount {
  readonly both: number;
  readonly first: number;
  readonly second: number;
  readonly neither: number;
}

export function callCount(calls: readonly (readonly [first: boolean, second: boolean])[]): CallCount {
  const count = (one: boolean, other: boolean) => calls.filter(([a, b]) => a === one && b === other).length;
  return {
    both: count(true, true),
    first: count(true, false),
    second: count(false, true),
    neither: count(false, false),
  };
}

/**
 * Cohen's kappa (Cohen 1960): agreement beyond chance; null where it is undefined, as where both call all films or
 * none.
 */
export function kappa({ both, first, second, neither }: CallCount): number | null {
  const n = both + first + second + neither;
  if (n === 0) return null;
  const [called, calledToo] = [(both + first) / n, (both + second) / n];
  const byChance = called * calledToo + (1 - called) * (1 - calledToo);
  return byChance === 1 ? null : ((both + neither) / n - byChance) / (1 - byChance);
}
