import { HilumError } from '../base/errors';
import { identifierProblem, wholeIdentifier } from './identifiers';

/**
 * Makes values copied from a film valid for their Value Representation (PS3.5 section 6.2), or drops them.
 *
 * A film's header may hold anything: dates that are hashes, names of a kilobyte, control characters. Descriptive values
 * are cut to length; identifiers are copied whole, even where they break their VR, or left empty (identifiers.ts);
 * nothing is repaired by guessing.
 */
export type CopiedVr = 'AS' | 'CS' | 'DA' | 'DS' | 'LO' | 'PN' | 'SH' | 'TM' | 'UT';

/** Refuses to build an object. @throws HilumError ENCODE_FAILED */
export function refuse(reason: string): never {
  throw new HilumError('ENCODE_FAILED', 'permanent', reason);
}

const CLEANERS: Readonly<Record<CopiedVr, (text: string) => string>> = {
  AS: (text) => keepIf(/^\d{3}[DWMY]$/, text),
  CS: (text) => keepIf(/^[A-Z0-9 _]{1,16}$/, text),
  DA: (text) => (isDate(text) ? text : ''),
  DS: decimal,
  LO: (text) => cut(text, 64),
  PN: personName,
  SH: (text) => cut(text, 16),
  TM: (text) => keepIf(/^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$/, text),
  UT: (text) => cut(text, 1024),
};

/** First value of a naturalised attribute as valid text of its VR; '' where there is none or it can't be made valid. */
export function clean(vr: CopiedVr, value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return CLEANERS[vr](plain(vr === 'PN' ? nameText(first) : first));
}

/** A whole identifier; '' where there is none or it can't be copied. */
export function cleanIdentifier(value: unknown): string {
  const whole = wholeIdentifier(value);
  return identifierProblem(whole) === null ? whole : '';
}

/** Text without control characters and without backslashes, which separate values (PS3.5 section 6.4). */
export function plain(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') return '';
  return (
    String(value)
      // eslint-disable-next-line no-control-regex -- control characters are what is taken out
      .replace(/[\u0000-\u001f\u007f-\u009f\\]+/g, ' ')
      .trim()
  );
}

/** At most `length` characters; a character beyond the Basic Multilingual Plane counts once and is not split. */
export function cut(text: string, length: number): string {
  return Array.from(text).slice(0, length).join('').trim();
}

function keepIf(form: RegExp, text: string): string {
  return form.test(text) ? text : '';
}

function isDate(text: string): boolean {
  if (!/^\d{8}$/.test(text)) return false;
  const iso = `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
}

/** Decimal String: at most 16 characters, so that long fractions are rounded. */
function decimal(text: string): string {
  const number = Number(text);
  if (text === '' || !Number.isFinite(number)) return '';
  return [String(number), number.toPrecision(9)].find((form) => form.length <= 16) ?? '';
}

/** dcmjs gives a name as an object of its component groups, or as a plain string. */
function nameText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { Alphabetic, Ideographic, Phonetic } = value as Record<string, unknown>;
  return [Alphabetic, Ideographic, Phonetic].map(plain).join('=');
}

/**
 * Valid PN: up to three component groups of up to 64 characters, each with up to five components (PS3.5 section 6.2.1).
 */
function personName(text: string): string {
  const groups = text
    .split('=')
    .slice(0, 3)
    .map((group) => cut(group.split('^').slice(0, 5).join('^'), 64));
  return groups.join('=').replace(/=+$/, '');
}
