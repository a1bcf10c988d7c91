import { deflateRawSync, deflateSync } from 'node:zlib';
import { element, encapsulated, encode, fileMeta, type FixtureElement, filmElements, SYNTAX } from './dicom-fixture';

/** One film, encoded in a way of manufacturers that breaks PS3.5 or PS3.10. All are the film of {@link plainFilm}. */
export interface OddFilm {
  readonly name: string;
  readonly bytes: Uint8Array;
}

type Style = Parameters<typeof encode>[1] & object;
const EXPLICIT: Style = { explicit: true, little: true };
const IMPLICIT: Style = { explicit: false, little: true };
const BIG: Style = { explicit: true, little: false };
const [ROWS, COLUMNS] = [48, 60];

const cells = Uint16Array.from({ length: ROWS * COLUMNS }, (_, index) =>
  Math.round(1900 + 900 * Math.sin(index / COLUMNS / 7) + 700 * Math.cos((index % COLUMNS) / 9)),
);
const pixels = (little = true): Buffer => {
  const bytes = Buffer.from(cells.buffer.slice(0));
  return little ? bytes : bytes.swap16();
};

const CODE: FixtureElement[] = [
  [0x00080100, 'SH', 'CODE'],
  [0x00080104, 'LO', 'MEANING'],
];
const elements = (more: readonly FixtureElement[] = []): FixtureElement[] => [
  ...filmElements({
    rows: ROWS,
    columns: COLUMNS,
    more: [[0x00180015, 'CS', 'CHEST'], [0x00281050, 'DS', '2048'], [0x00281051, 'DS', '4096'], ...more],
  }),
];

/** Elements before and behind `tag`, with `odd` in its place, and pixel data at the end. */
function withOdd(tag: number, odd: Uint8Array, style = EXPLICIT, all = elements()): Buffer {
  return Buffer.concat([
    encode(
      all.filter(([one]) => one < tag),
      style,
    ),
    odd,
    encode([...all.filter(([one]) => one > tag), [0x7fe00010, 'OW', pixels(style.little)]], style),
  ]);
}

const file = (body: Uint8Array, syntax: string = SYNTAX.explicit): Uint8Array =>
  Buffer.concat([fileMeta(syntax), body]);
const whole = (style: Style): Buffer => encode([...elements(), [0x7fe00010, 'OW', pixels(style.little)]], style);

const hex = (digits: string) => Buffer.from(digits.replace(/ /g, ''), 'hex');
const uint16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer);
const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const HISTORY = Buffer.from('0000 HISTORY TEXT ABC ');
/** Additional Patient History (0010,21B0), with this VR and a length of two bytes. */
const shortForm = (vr: string) =>
  Buffer.concat([hex('1000b021'), Buffer.from(vr, 'latin1'), uint16(HISTORY.length), HISTORY]);
const longForm = (vr: string) =>
  Buffer.concat([hex('1000b021'), Buffer.from(`${vr}\0\0`, 'latin1'), uint32(HISTORY.length), HISTORY]);
const noVr = Buffer.concat([hex('1000b021'), uint32(HISTORY.length), HISTORY]);
const itemOf = (content: Uint8Array, length = content.length) =>
  Buffer.concat([hex('feff00e0'), uint32(length), content]);
const [ITEM_END, SEQUENCE_END] = [hex('feff0de000000000'), hex('feffdde000000000')];
const ANATOMY = 0x00082218;
const sequence = (content: Uint8Array, length = content.length, vr = 'SQ', style = EXPLICIT) =>
  element(ANATOMY, vr, content, style, length);
const explicitItem = itemOf(encode(CODE));

export const plainFilm = (): Uint8Array => file(whole(EXPLICIT));

/** Elements of the top level. */
function oddElements(): OddFilm[] {
  const odd = (name: string, bytes: Uint8Array): OddFilm => ({ name, bytes: file(withOdd(0x001021b0, bytes)) });
  const pixelData = (name: string, head: Uint8Array): OddFilm => ({
    name,
    bytes: file(Buffer.concat([encode(elements()), head, pixels()])),
  });
  return [
    ...['--', '??', '  ', '\0\0', 'zz', '\x01\x02', 'ZZ', 'OX'].map((vr) =>
      odd(`VR ${JSON.stringify(vr)}`, shortForm(vr)),
    ),
    ...['??', '\0\0', 'ZZ'].map((vr) => odd(`VR ${JSON.stringify(vr)}, length of four bytes`, longForm(vr))),
    odd('an element without VR', noVr),
    odd('an empty element without VR', hex('1000b02100000000')),
    odd('UT with a length of two bytes', shortForm('UT')),
    odd(
      'a private element of unknown VR',
      Buffer.concat([hex('11001010'), Buffer.from('QQ'), uint16(4), hex('01020304')]),
    ),
    odd('an odd length', element(0x001021b0, 'LT', Buffer.from('ODD'))),
    odd('a retired group length', Buffer.concat([hex('11000000'), Buffer.from('UL'), uint16(4), uint32(7)])),
    odd('File Meta Information inside the data set', element(0x00020010, 'UI', Buffer.from('1.2.840.10008.1.2\0'))),
    odd(
      'a private element of undefined length without items',
      Buffer.concat([
        element(0x00110010, 'LO', Buffer.from('MAKER ')),
        element(0x00111010, 'UN', Buffer.concat([hex('00112233445566778899'), SEQUENCE_END]), EXPLICIT, 0xffffffff),
      ]),
    ),
    pixelData('Pixel Data of VR ??', Buffer.concat([hex('e07f1000'), Buffer.from('??\0\0'), uint32(2 * cells.length)])),
    pixelData('Pixel Data of VR OB', Buffer.concat([hex('e07f1000'), Buffer.from('OB\0\0'), uint32(2 * cells.length)])),
    { name: 'bytes behind Pixel Data', bytes: Buffer.concat([plainFilm(), Buffer.from('trailing garbage')]) },
  ];
}

function oddSequences(): OddFilm[] {
  const odd = (name: string, bytes: Uint8Array, style = EXPLICIT): OddFilm => ({
    name,
    bytes: file(withOdd(ANATOMY, bytes, style), style.explicit ? SYNTAX.explicit : SYNTAX.implicit),
  });
  const open = (content: Uint8Array) => itemOf(content, 0xffffffff);
  return [
    odd(
      'explicit items in UN of undefined length',
      sequence(Buffer.concat([explicitItem, SEQUENCE_END]), 0xffffffff, 'UN'),
    ),
    odd('explicit items in UN of defined length', sequence(explicitItem, undefined, 'UN')),
    odd(
      'open explicit items in UN of undefined length',
      sequence(Buffer.concat([open(Buffer.concat([encode(CODE), ITEM_END])), SEQUENCE_END]), 0xffffffff, 'UN'),
    ),
    odd('implicit items in an explicit sequence', sequence(itemOf(encode(CODE, IMPLICIT)))),
    odd('explicit items in an implicit file', sequence(explicitItem, undefined, 'SQ', IMPLICIT), IMPLICIT),
    odd('a sequence shorter than its item', sequence(explicitItem, explicitItem.length - 2)),
    odd('a sequence longer than its items', sequence(explicitItem, explicitItem.length + 4)),
    odd('a sequence without its delimiter', sequence(explicitItem, 0xffffffff)),
    odd('an item without its delimiter', sequence(Buffer.concat([open(encode(CODE)), SEQUENCE_END]), 0xffffffff)),
    odd(
      'an item of defined length with a delimiter',
      sequence(Buffer.concat([explicitItem, ITEM_END, SEQUENCE_END]), 0xffffffff),
    ),
    odd(
      'delimiters with a length',
      sequence(
        Buffer.concat([open(Buffer.concat([encode(CODE), hex('feff0de004000000')])), hex('feffdde008000000')]),
        0xffffffff,
      ),
    ),
  ];
}

function noSequences(): OddFilm[] {
  const text = Buffer.from('RIGHT CHEST ');
  return [
    {
      name: 'text where the dictionary has a sequence, implicit',
      bytes: file(withOdd(ANATOMY, element(ANATOMY, 'LO', text, IMPLICIT), IMPLICIT), SYNTAX.implicit),
    },
    {
      name: 'text where the dictionary has a sequence, LO',
      bytes: file(withOdd(ANATOMY, element(ANATOMY, 'LO', text))),
    },
    {
      name: 'text where the dictionary has a sequence, UN',
      bytes: file(withOdd(ANATOMY, element(ANATOMY, 'UN', text))),
    },
  ];
}

function oddFiles(): OddFilm[] {
  const bodies = [
    ['explicit', whole(EXPLICIT)],
    ['implicit', whole(IMPLICIT)],
    ['bigEndian', whole(BIG)],
    ['deflated', deflateRawSync(whole(EXPLICIT))],
  ] as const;
  const mixed = Object.keys(SYNTAX).flatMap((said) =>
    bodies
      .filter(([is]) => is !== said)
      .map(([is, body]) => ({
        name: `said to be ${said}, is ${is}`,
        bytes: file(body, SYNTAX[said as keyof typeof SYNTAX]),
      })),
  );
  const meta = fileMeta(SYNTAX.explicit);
  return [
    ...mixed,
    { name: 'deflated with a zlib header', bytes: file(deflateSync(whole(EXPLICIT)), SYNTAX.deflated) },
    { name: 'no preamble', bytes: Buffer.concat([meta.subarray(132), whole(EXPLICIT)]) },
    { name: 'no preamble, but the prefix', bytes: Buffer.concat([meta.subarray(128), whole(EXPLICIT)]) },
    {
      name: 'a preamble without prefix',
      bytes: Buffer.concat([meta.subarray(0, 128), meta.subarray(132), whole(EXPLICIT)]),
    },
    { name: 'a preamble and no File Meta Information', bytes: Buffer.concat([meta.subarray(0, 132), whole(IMPLICIT)]) },
    {
      name: 'no group length of the File Meta Information',
      bytes: Buffer.concat([meta.subarray(0, 132), meta.subarray(144), whole(EXPLICIT)]),
    },
    {
      name: 'implicit File Meta Information',
      bytes: Buffer.concat([
        meta.subarray(0, 132),
        encode([[0x00020010, 'UI', SYNTAX.explicit]], IMPLICIT),
        whole(EXPLICIT),
      ]),
    },
  ];
}

export function oddFilms(): OddFilm[] {
  return [...oddElements(), ...oddSequences(), ...noSequences(), ...oddFiles()];
}

/** A compressed film of one fragment, its file as makers leave it. */
export function oddFragments(stream: Uint8Array, syntax: string): OddFilm[] {
  const body = (data: Uint8Array) => Buffer.concat([encode(elements()), data]);
  const packed = encapsulated([stream]);
  const half = (stream.length >> 1) | 1;
  const split = Buffer.concat([
    itemOf(Buffer.alloc(0)),
    itemOf(stream.subarray(0, half)),
    hex('00'),
    itemOf(stream.subarray(half)),
    SEQUENCE_END,
  ]);
  return [
    { name: 'fragments without a delimiter', bytes: file(body(packed.subarray(0, -8)), syntax) },
    {
      name: 'fragments without a delimiter before other elements',
      bytes: file(body(Buffer.concat([packed.subarray(0, -8), element(0xfffcfffc, 'OB', Buffer.alloc(8))])), syntax),
    },
    {
      name: 'a fragment of odd length with a byte more',
      bytes: file(body(element(0x7fe00010, 'OB', split, EXPLICIT, 0xffffffff)), syntax),
    },
    { name: 'compressed, said to be explicit', bytes: file(body(packed)) },
    {
      name: 'compressed, in implicit encoding',
      bytes: file(
        Buffer.concat([
          encode(elements(), IMPLICIT),
          element(0x7fe00010, 'OB', packed.subarray(12), IMPLICIT, 0xffffffff),
        ]),
        syntax,
      ),
    },
  ];
}
