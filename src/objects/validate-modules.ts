import type { Attributes } from '../dicom/attributes';

/**
 * One attribute of a module: type 1 is present with a value, type 2 is present, type 3 may be (PS3.5 section 7.4). If
 * present, it has one of the values, or its items follow the rules of `items`.
 */
type Rule = readonly [
  keyword: string,
  type: 1 | 2 | 3,
  detail?: readonly (string | number)[] | { readonly items: Module; readonly count?: number },
];
export type Module = readonly Rule[];

export function moduleProblems(module: Module, attributes: Attributes, path = ''): string[] {
  return module.flatMap(([keyword, type, detail]) => {
    const [place, values] = [`${path}${keyword}`, valuesOf(attributes[keyword])];
    if (type !== 3 && attributes[keyword] === undefined) return [`${place} is missing`];
    if (values.length === 0) return type === 1 ? [`${place} is empty`] : [];
    return detail === undefined ? [] : detailProblems(detail, values, place);
  });
}

function detailProblems(detail: NonNullable<Rule[2]>, values: readonly unknown[], place: string): string[] {
  if (!('items' in detail))
    return values.every((value) => detail.includes(value as string))
      ? []
      : [`${place} has a value that is not allowed`];
  const count =
    detail.count === undefined || values.length === detail.count
      ? []
      : [`${place} has ${values.length} items instead of ${detail.count}`];
  return [
    ...count,
    ...values.flatMap((item, index) => moduleProblems(detail.items, item as Attributes, `${place}[${index}].`)),
  ];
}

/** Values that are not empty; a Person Name without any group is empty. */
export function valuesOf(value: unknown): unknown[] {
  if (value instanceof Uint8Array) return value.length > 0 ? [value] : [];
  const values: unknown[] = [value].flat();
  return values.filter((one) => one !== undefined && one !== null && one !== '' && !isEmptyName(one));
}

function isEmptyName(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'Alphabetic' in value &&
    Object.values(value).every((group) => group === '')
  );
}

export function itemsOf(attributes: Attributes | undefined, keyword: string): Attributes[] {
  return valuesOf(attributes?.[keyword]).filter(
    (item): item is Attributes => typeof item === 'object' && !ArrayBuffer.isView(item),
  );
}

/**
 * Rules for items wherever they occur: codes (PS3.3 section 8.8), references (table 10-11) and identifiers of issuers
 * (section 10.14).
 */
export function pairProblems(attributes: Attributes, path = ''): string[] {
  return Object.entries(attributes).flatMap(([keyword, value]) => {
    const items = Array.isArray(value)
      ? value.filter(
          (item): item is Attributes => typeof item === 'object' && item !== null && !ArrayBuffer.isView(item),
        )
      : [];
    return items.flatMap((item, index) => {
      const place = `${path}${keyword}[${index}].`;
      return [
        ...(keyword.endsWith('CodeSequence') ? codeProblems(item, place) : []),
        ...togetherProblems(item, place),
        ...pairProblems(item, place),
      ];
    });
  });
}

function codeProblems(item: Attributes, place: string): string[] {
  const values = ['CodeValue', 'LongCodeValue', 'URNCodeValue'].filter((keyword) => valuesOf(item[keyword]).length > 0);
  return [
    ...(values.length === 1 ? [] : [`${place}CodeValue has to be there once, in one of its forms`]),
    ...(values[0] === 'URNCodeValue' ? [] : moduleProblems([['CodingSchemeDesignator', 1]], item, place)),
    ...moduleProblems([['CodeMeaning', 1]], item, place),
  ];
}

const TOGETHER = [
  ['ReferencedSOPClassUID', 'ReferencedSOPInstanceUID'],
  ['UniversalEntityID', 'UniversalEntityIDType'],
  ['LUTDescriptor', 'LUTData'],
  ['WindowCenter', 'WindowWidth'],
] as const;

function togetherProblems(item: Attributes, place: string): string[] {
  return TOGETHER.flatMap((pair) => {
    const there = pair.filter((keyword) => valuesOf(item[keyword]).length > 0);
    return there.length === 1
      ? [`${place}${pair.find((keyword) => keyword !== there[0])} is missing beside ${there[0]}`]
      : [];
  });
}
