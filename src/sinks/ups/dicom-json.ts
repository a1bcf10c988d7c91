import type { Code } from '../../dicom/code';

/** One element of a dataset (PS3.18 annex F.2). */
export interface JsonElement {
  readonly vr: string;
  readonly Value?: readonly unknown[];
}
/** Elements by tag: eight hexadecimal digits in upper case. */
export type JsonDataset = Readonly<Record<string, JsonElement>>;

/** An element with these values; a single '' gives none. */
export function element(vr: string, ...values: readonly string[]): JsonElement {
  const given = values.filter((value) => value !== '');
  return given.length === 0 ? { vr } : { vr, Value: given };
}

export function sequence(...items: readonly JsonDataset[]): JsonElement {
  return items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items };
}

/** Component groups of a name, separated by = elsewhere (PS3.18 section F.2.2). */
export function personName(name: string): JsonElement {
  if (name === '') return { vr: 'PN' };
  const [alphabetic = '', ideographic = '', phonetic = ''] = name.split('=');
  return {
    vr: 'PN',
    Value: [
      {
        Alphabetic: alphabetic,
        ...(ideographic && { Ideographic: ideographic }),
        ...(phonetic && { Phonetic: phonetic }),
      },
    ],
  };
}

/** Elements sorted by tag. */
export function dataset(elements: JsonDataset): JsonDataset {
  return Object.fromEntries(Object.entries(elements).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Code Sequence of one item (PS3.3 section 8.8). */
export function codeSequence({ value, scheme, meaning }: Code): JsonElement {
  return sequence({
    '00080100': element('SH', value),
    '00080102': element('SH', scheme),
    '00080104': element('LO', meaning),
  });
}

/** An ISO 8601 time as DT in UTC (PS3.5 section 6.2). */
export function dateTime(iso: string): string {
  return `${new Date(iso).toISOString().replace(/[-:TZ]/g, '')}+0000`;
}

export function valuesAt(item: unknown, tag: string): readonly unknown[] {
  const found = typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[tag] : undefined;
  const values = typeof found === 'object' && found !== null ? (found as { Value?: unknown }).Value : undefined;
  return Array.isArray(values) ? values : [];
}

export function textAt(item: unknown, tag: string): string {
  const value = valuesAt(item, tag)[0];
  return typeof value === 'string' ? value.trim() : '';
}
