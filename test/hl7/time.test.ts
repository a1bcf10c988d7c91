import { instantOfWallTime, isTimeZone, systemTimeZone, wallTimeOf } from '../../src/base/time-zone';
import { dateOf, instantOf } from '../../src/hl7/time';

const BERLIN = 'Europe/Berlin';
const iso = (text: string, zone = BERLIN) => {
  const found = instantOf(text, zone);
  return found === null ? null : new Date(found).toISOString();
};

test.each([
  ['20260301101542', '2026-03-01T09:15:42.000Z'],
  ['202607011015', '2026-07-01T08:15:00.000Z'],
  ['20260301101542.25', '2026-03-01T09:15:42.250Z'],
  ['20260301101542.1234', '2026-03-01T09:15:42.123Z'],
  ['20260301101542+0530', '2026-03-01T04:45:42.000Z'],
  ['20260301101542-0500', '2026-03-01T15:15:42.000Z'],
  [' 20260301101542+0000 ', '2026-03-01T10:15:42.000Z'],
  // The hour that comes twice, and the one that is left out.
  ['20261025023000', '2026-10-25T00:30:00.000Z'],
  ['20260329023000', '2026-03-29T01:30:00.000Z'],
])('%s is %s', (text, expected) => expect(iso(text)).toBe(expected));

test.each([
  '',
  '2026',
  '20260301',
  '2026030110',
  '20260230101500',
  '20261301101500',
  '20260301256000',
  '20260301101542Z',
  '""',
])('%j says no moment', (text) => expect(iso(text)).toBeNull());

test('a date', () => {
  expect([dateOf('19500203'), dateOf('19500203101500'), dateOf('1950'), dateOf('')]).toEqual([
    '19500203',
    '19500203',
    null,
    null,
  ]);
  expect(['00000000', '00000101', '19500000', '19500231', '99999999'].map(dateOf)).toEqual(Array(5).fill(null));
});

test('wall clocks of time zones, and their names', () => {
  for (const zone of ['UTC', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', BERLIN])
    for (let instant = Date.UTC(2026, 0, 1, 0, 30); instant < Date.UTC(2027, 0, 1); instant += 31 * 3_600_000) {
      const wall = wallTimeOf(instant, zone);
      const asUtc = Date.parse(wall.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z'));
      expect({ zone, instant: instantOfWallTime(asUtc, zone) }).toEqual({ zone, instant });
    }
  expect([isTimeZone(BERLIN), isTimeZone('Europe/Nowhere'), isTimeZone(systemTimeZone())]).toEqual([true, false, true]);
});
