import { clean } from '../dicom/sanitise';

/**
 * HL7 v2.5.1 section 2.7: delimiters inside a text are escaped; control characters, which would break segments or the
 * MLLP frame, as hexadecimal.
 */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\E\\',
  '|': '\\F\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '~': '\\R\\',
};

export const ENCODING_CHARACTERS = '^~\\&';
export const SEGMENT_END = '\r';

export function escapeText(text: string): string {
  return text.replace(
    /[\\|^&~\p{Cc}]/gu,
    (found) => ESCAPES[found] ?? `\\X${Buffer.from(found, 'utf8').toString('hex').toUpperCase()}\\`,
  );
}

/** Escaped and joined components; empty ones at the end are dropped. */
export function components(...parts: readonly string[]): string {
  return parts.map(escapeText).join('^').replace(/\^+$/, '');
}

/** A segment of encoded fields; empty ones at the end are dropped. */
function segment(name: string, fields: readonly string[]): string {
  return [name, ...fields].join('|').replace(/\|+$/, '');
}

/** A segment from fields by number, from 1. */
export function numbered(name: string, fields: Readonly<Record<number, string>>): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  return segment(
    name,
    Array.from({ length: last }, (_, index) => fields[index + 1] ?? ''),
  );
}

/** A configured HD such as `HOSP^1.2.3^ISO`; its ^ separate components. */
export function hierarchicDesignator(text: string): string {
  return components(...text.split('^'));
}

/** Converts ISO 8601 in UTC to TS. */
export function timestampOf(iso: string): string {
  const [whole] = new Date(iso).toISOString().split('.');
  return `${whole!.replace(/\D/g, '')}+0000`;
}

/**
 * Converts DICOM's DA, TM and Timezone Offset from UTC to TS. What is no date, time or time zone there is left out:
 * a receiver may refuse the whole result for it; '' without a date.
 */
export function dicomMoment(date: string, time: string, offset: string): string {
  const day = clean('DA', date);
  if (day === '' || day.startsWith('0000')) return '';
  const clock = clean('TM', time);
  // TS has hours with minutes or neither, and up to four digits of a fraction of a second (section 2.A.77).
  const kept = clock.length < 4 ? '' : clock.slice(0, 11);
  return `${day}${kept}${kept !== '' && /^[+-](0\d|1[0-4])[0-5]\d$/.test(offset) ? offset : ''}`;
}

/**
 * Converts DICOM's PN to XPN: suffix and prefix change places (PS3.5 section 6.2.1.1, HL7 v2.5.1 section 2.A.89). The
 * alphabetic, ideographic and phonetic groups become repetitions with their representation code in XPN.8.
 */
export function personName(name: string): string {
  const groups = name.split('=').slice(0, 3);
  const filled = groups
    .map((group, index) => ({ group, code: 'AIP'[index]! }))
    .filter(({ group }) => group.replace(/\^/g, '') !== '');
  return filled
    .map(({ group, code }) => {
      const [family = '', given = '', middle = '', prefix = '', suffix = ''] = group.split('^');
      return components(family, given, middle, suffix, prefix, '', 'L', filled.length > 1 ? code : '');
    })
    .join('~');
}
