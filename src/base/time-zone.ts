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
 * Start of the day of `at` in a time zone (milliseconds since 1970). On days when clocks change it is not a whole
 * number of 24 hours away.
 */
export function startOfDay(at: number, timeZone: string): number {
  const midnight = Math.floor((at + offsetAt(at, timeZone)) / DAY_MS) * DAY_MS;
  const guess = midnight - offsetAt(at, timeZone);
  return midnight - offsetAt(guess, timeZone);
}

/**
 * The instant when clocks in a time zone show `wall` (both in milliseconds since 1970, `wall` as if it were UTC). A
 * time that occurs twice is taken as the first; one that does not occur is moved an hour later.
 */
export function instantOfWallTime(wall: number, timeZone: string): number {
  const offsets = [wall - DAY_MS, wall + DAY_MS].map((around) => offsetAt(around, timeZone));
  const fits = offsets
    .map((offset) => wall - offset)
    .filter((instant) => instant + offsetAt(instant, timeZone) === wall);
  return fits.length === 0 ? wall - offsets[0]! : Math.min(...fits);
}

/** Wall time in a time zone at an instant: YYYYMMDDhhmmss. */
export function wallTimeOf(instant: number, timeZone: string): string {
  return new Date(instant + offsetAt(instant, timeZone)).toISOString().slice(0, 19).replace(/\D/g, '');
}

/** A time zone's offset from UTC, in `offsetMs`, which holds until `until` (milliseconds since 1970). */
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

/** The minute between two instants at which clocks were changed to the later offset. */
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

/** Offset of a time zone from UTC (milliseconds, positive to the east). */
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
