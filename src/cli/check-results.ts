import type { CheckResult } from '../base/check-result';
import { print } from './command';

/** Prints one line for each check; the exit status is 1 when one has failed. */
export function printChecks(results: readonly CheckResult[], json: boolean): number {
  for (const { check, ok, text } of results)
    print(json ? JSON.stringify({ check, ok, text }) : `${ok ? 'ok   ' : 'WRONG'} ${check}: ${text}`);
  return results.every(({ ok }) => ok) ? 0 : 1;
}
