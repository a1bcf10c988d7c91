const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Whether this machine knows a time zone of that name (IANA). */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The name of this machine's time zone (IANA). */
export const systemTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * When the day that `at` is in began in a time zone (milliseconds since 1970). Where clocks were set since, the day is
 * shorter or longer than the hours that have gone.
 */
export function startOfDay(at: number, timeZone: string): number {
  const midnight = Math.floor((at + offsetAt(at, timeZone)) / DAY_MS) * DAY_MS;
  const guess = midnight - offsetAt(at, timeZone);
  return midnight - offsetAt(guess, timeZone);
}

/**
 * When a wall clock of a time zone shows this (milliseconds since 1970). `wall`: what it shows, as if it were UTC. An
 * hour that comes twice is taken for its first time, one that is left out for the hour after it.
 */
export function instantOfWallTime(wall: number, timeZone: string): number {
  const offsets = [wall - DAY_MS, wall + DAY_MS].map((around) => offsetAt(around, timeZone));
  const fits = offsets
    .map((offset) => wall - offset)
    .filter((instant) => instant + offsetAt(instant, timeZone) === wall);
  return fits.length === 0 ? wall - offsets[0]! : Math.min(...fits);
}

/** What a wall clock of a time zone shows at an instant: YYYYMMDDhhmmss. */
export function wallTimeOf(instant: number, timeZone: string): string {
  return new Date(instant + offsetAt(instant, timeZone)).toISOString().slice(0, 19).replace(/\D/g, '');
}

/** Until `until` (milliseconds since 1970) the clocks of a zone are `offsetMs` ahead of UTC. */
export interface OffsetSpan {
  readonly until: number;
  readonly offsetMs: number;
}

/** The offsets of a time zone from `from` to `to` (milliseconds since 1970), to the minute; the last one has no end. */
export function offsetSpans(from: number, to: number, timeZone: string): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let offsetMs = offsetAt(from, timeZone);
  for (let day = from; day < to; day += DAY_MS) {
    const next = offsetAt(day + DAY_MS, timeZone);
    if (next === offsetMs) continue;
    spans.push({ until: whenSet(day, day + DAY_MS, timeZone), offsetMs });
    offsetMs = next;
  }
  return [...spans, { until: Infinity, offsetMs }];
}

/** The minute between two instants from which on the clocks show what they show at the later one. */
function whenSet(before: number, after: number, timeZone: string): number {
  const set = offsetAt(after, timeZone);
  let [low, high] = [Math.floor(before / MINUTE_MS), Math.ceil(after / MINUTE_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * MINUTE_MS, timeZone) === set) high = middle;
    else low = middle;
  }
  return high * MINUTE_MS;
}

/** What the clocks of a time zone are ahead of UTC (milliseconds). */
function offsetAt(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return local - Math.floor(at / 1_000) * 1_000;
}
