import type { Interval, Share } from '../statistics/statistics';

/** Figures as the report writes them. */
export function percent(value: number | null): string {
  return value === null ? 'none' : `${(100 * value).toFixed(1)} %`;
}

function percentRange(interval: Interval): string {
  return interval === null ? '' : ` (${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)} %)`;
}

export function shareText({ value, hits, n, interval }: Share): string {
  return value === null ? 'none' : `${percent(value)}${percentRange(interval)}, ${hits} of ${n}`;
}

export function decimal(value: number | null, digits = 3): string {
  return value === null ? 'none' : value.toFixed(digits);
}

export function estimateText(value: number | null, interval: Interval, digits = 3): string {
  if (value === null) return 'none';
  const between =
    interval === null ? '(no interval)' : `(${decimal(interval[0], digits)} to ${decimal(interval[1], digits)})`;
  return `${decimal(value, digits)} ${between}`;
}
