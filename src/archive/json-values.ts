import { tryParseUid, type Uid } from '../dicom/uid';

/**
 * Reading values of the DICOM JSON model (PS3.18 annex F). Servers hand on the padding of the stored elements, so that
 * each value is taken without it, as PS3.5 section 6.2 says for its Value Representation.
 */

/** Leading spaces count in these (PS3.5 table 6.2-1); in all other texts they are padding, too. */
const LEADING_SPACES_COUNT = new Set(['LT', 'ST', 'UC', 'UR', 'UT']);

/**
 * Without the padding of its Value Representation; without one as of CS. NUL pads UI by the Standard, others by
 * mistake.
 */
export function withoutPadding(text: string, vr = ''): string {
  const end = text.replace(/[\s\0]+$/, '');
  return LEADING_SPACES_COUNT.has(vr) ? end : end.replace(/^[\s\0]+/, '');
}

/** The values under a tag as they are, texts without their padding; none for what is no dataset. */
export function valuesAt(dataset: unknown, tag: string): unknown[] {
  if (typeof dataset !== 'object' || dataset === null) return [];
  const element = (dataset as Record<string, unknown>)[tag];
  if (typeof element !== 'object' || element === null) return [];
  const { Value: values, vr } = element as { Value?: unknown; vr?: unknown };
  if (!Array.isArray(values)) return [];
  const form = typeof vr === 'string' ? vr : '';
  return (values as unknown[]).map((value) => (typeof value === 'string' ? withoutPadding(value, form) : value));
}

/** First value; undefined where there is none. */
const firstAt = (dataset: unknown, tag: string): unknown => valuesAt(dataset, tag)[0];

/** First value as a text; '' where it is none. */
export function textAt(dataset: unknown, tag: string): string {
  const value = firstAt(dataset, tag);
  return typeof value === 'string' ? value : '';
}

/** First value of VR CS, which knows upper case only (PS3.5 table 6.2-1) although some servers write lower case. */
export const codeAt = (dataset: unknown, tag: string): string => textAt(dataset, tag).toUpperCase();

/** Whole numbers of 0 and more; some servers write them as texts. Null where there is none, or none that can be. */
export function countAt(dataset: unknown, tag: string): number | null {
  const value = firstAt(dataset, tag);
  const count = typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : null;
}

/** A UID with a backslash is none, and its first half another's. */
export function uidAt(dataset: unknown, tag: string): Uid | undefined {
  const values = valuesAt(dataset, tag);
  return values.length > 1 ? undefined : tryParseUid(values[0]);
}
