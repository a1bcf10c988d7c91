import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Cores that this process may use: by its CPU affinity, and by the quota of its control group (version 2) if there is
 * one.
 */
export function usableCores(quotaFile = '/sys/fs/cgroup/cpu.max'): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quotaOf(quotaFile))));
}

/** Quota in cores. The file holds `QUOTA PERIOD` in microseconds, or `max PERIOD`. */
function quotaOf(file: string): number {
  try {
    const [quota, period] = readFileSync(file, 'utf8').split(' ').map(Number);
    return quota! > 0 && period! > 0 ? quota! / period! : Infinity;
  } catch {
    return Infinity;
  }
}
