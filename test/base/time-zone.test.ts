import { isTimeZone, startOfDay } from '../../src/base/time-zone';

test.each([
  ['Europe/Berlin', '2026-03-01T22:59:59.000Z', '2026-02-28T23:00:00.000Z'],
  ['Europe/Berlin', '2026-03-01T23:00:00.000Z', '2026-03-01T23:00:00.000Z'],
  // Clocks go forward at 02:00, and back at 03:00.
  ['Europe/Berlin', '2026-03-29T12:00:00.000Z', '2026-03-28T23:00:00.000Z'],
  ['Europe/Berlin', '2026-10-25T12:00:00.000Z', '2026-10-24T22:00:00.000Z'],
  ['America/St_Johns', '2026-01-15T03:29:00.500Z', '2026-01-14T03:30:00.000Z'],
  ['Pacific/Kiritimati', '2026-01-15T09:59:59.999Z', '2026-01-14T10:00:00.000Z'],
  ['UTC', '2026-01-15T00:00:00.000Z', '2026-01-15T00:00:00.000Z'],
])('in %s the day of %s began at %s', (zone, at, began) => {
  expect(new Date(startOfDay(Date.parse(at), zone)).toISOString()).toBe(began);
});

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Europe/Nowhere', false],
  ['', false],
])('whether %j is a time zone: %s', (zone, expected) => expect(isTimeZone(zone)).toBe(expected));
