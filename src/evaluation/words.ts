import { figure, say, type Words } from '../language/say';
import type { Interval, Share } from '../statistics/statistics';

/** Formats of figures in the report. */
export interface Figures {
  readonly percent: (value: number | null) => string;
  readonly decimal: (value: number | null, digits?: number) => string;
  /** A share with its interval and its numbers. */
  readonly share: (share: Share) => string;
  /** A figure with its interval. */
  readonly estimate: (value: number | null, interval: Interval, digits?: number) => string;
}

export function figuresIn(words: Words): Figures {
  const none = say(words, 'evaluation.none');
  const written = (value: number, digits: number) => figure(words, value.toFixed(digits));
  const noInterval = say(words, 'evaluation.noInterval');
  const range = (interval: NonNullable<Interval>, digits: number) =>
    say(words, 'evaluation.range', { low: written(interval[0], digits), high: written(interval[1], digits) });
  const inPerCent = (interval: Interval) =>
    interval === null ? '' : ` (${range([100 * interval[0], 100 * interval[1]], 1)} %)`;
  const percent = (value: number | null) => (value === null ? none : `${written(100 * value, 1)} %`);
  const decimal = (value: number | null, digits = 3) => (value === null ? none : written(value, digits));
  return {
    percent,
    decimal,
    share: ({ value, hits, n, interval }) =>
      value === null ? none : `${percent(value)}${inPerCent(interval)}, ${say(words, 'evaluation.ofAll', { hits, n })}`,
    estimate: (value, interval, digits = 3) =>
      value === null ? none : `${decimal(value, digits)} (${interval === null ? noInterval : range(interval, digits)})`,
  };
}
