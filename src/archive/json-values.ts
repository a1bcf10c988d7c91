import { tryParseUid, type Uid } from '../dicom/uid';

/**
 * Reading values of the DICOM JSON model (PS3.18 annex F). Servers pass on the padding of the stored elements, so each
 * value is read without it, as PS3.5 section 6.2 says for its Value Representation.
 */

/** VRs whose leading spaces are significant (PS3.5 table 6.2-1); in all other texts they are padding. */
const LEADING_SPACES_COUNT = new Set(['LT', 'ST', 'UC', 'UR', 'UT']);

/**
 * Removes the padding of a Value Representation; without `vr`, that of CS. NUL is the padding of UI, and a common
 * mistake in others.
 */
export function withoutPadding(text: string, vr = ''): string {
  const end = text.replace(/[\s\0]+$/, '');
  return LEADING_SPACES_COUNT.has(vr) ? end : end.replace(/^[\s\0]+/, '');
}

/** Values under a tag, texts without their padding; empty for anything that is no dataset. */
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

/** First value as text; '' where it is no text. */
export function textAt(dataset: unknown, tag: string): string {
  const value = firstAt(dataset, tag);
  return typeof value === 'string' ? value : '';
}

/** First value of VR CS in upper case, which some servers write in lower case (PS3.5 table 6.2-1). */
export const codeAt = (dataset: unknown, tag: string): string => textAt(dataset, tag).toUpperCase();

/** A whole number of 0 and more; some servers write it as text. Null where there is none or it is no such number. */
export function countAt(dataset: unknown, tag: string): number | null {
  const value = firstAt(dataset, tag);
  const count = typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : null;
}

/** A UID; a value with a backslash is two, and neither is used. */
export function uidAt(dataset: unknown, tag: string): Uid | undefined {
  const values = valuesAt(dataset, tag);
  return values.length > 1 ? undefined : tryParseUid(values[0]);
}
