import { instantOfWallTime } from '../base/time-zone';
import { clean } from '../dicom/sanitise';

/**
 * Converts an HL7 time (TS, DTM: section 2.A.77) to milliseconds since 1970; null where it is invalid or lacks hours
 * and minutes.
 * @param zone time zone of times without an offset
 */
export function instantOf(text: string, zone: string): number | null {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(\d\d))?$/.exec(text.trim());
  if (found === null) return null;
  const [, year, month, day, hour, minute, second = '0', fraction = '0', sign, hours, minutes] = found;
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wall = Date.UTC(y, mo - 1, d, h, mi, s) + Math.floor(Number(`0.${fraction}`) * 1000);
  const isOne = mo >= 1 && mo <= 12 && new Date(Date.UTC(y, mo - 1, d)).getUTCDate() === d && h < 24 && mi < 60;
  if (!isOne || s > 60) return null;
  if (sign === undefined) return instantOfWallTime(wall, zone);
  return wall - (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** Date of an HL7 time as DA; null where it has none, or one that can't be (`00000000`, `19500000`). */
export function dateOf(text: string): string | null {
  const date = clean('DA', /^(?!0000)\d{8}/.exec(text.trim())?.[0]);
  return date === '' ? null : date;
}
