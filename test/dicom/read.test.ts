import dcmjs from 'dcmjs';
import { deflateRawSync } from 'node:zlib';
import { HilumError } from '../../src/base/errors';
import {
  type Attributes,
  binary,
  items,
  KEYWORDS,
  number,
  numbers,
  personName,
  text,
  texts,
} from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import {
  dicomFile,
  element,
  encapsulated,
  encode,
  fileMeta,
  film,
  filmElements,
  type FixtureElement,
  item1,
  SYNTAX,
} from '../support/films/dicom-fixture';

const EXAMPLE: readonly FixtureElement[] = [
  ...filmElements(),
  [0x00080008, 'CS', 'DERIVED\\PRIMARY'],
  [0x00181411, 'DS', ' 12.5'],
  [0x00281050, 'DS', '2047\\100'],
  [0x00280120, 'US', [7]],
  [0x00200013, 'IS', '42 '],
  [
    0x00283010,
    'SQ',
    [
      [
        [0x00283002, 'US', [4, 0, 8]],
        [0x00283006, 'US', [0, 1, 2, 3]],
      ],
    ],
  ],
  [0x00090010, 'LO', 'A MAKER'],
  [0x00091001, 'UN', Uint8Array.of(1, 2, 3, 4)],
];

const failure = (bytes: Uint8Array): HilumError => {
  try {
    readPart10(bytes);
  } catch (error) {
    if (error instanceof HilumError) return error;
    throw error;
  }
  throw new Error('was read');
};

describe('transfer syntaxes', () => {
  test.each(Object.entries(SYNTAX))('%s gives the same attributes', (_, syntax) => {
    const opened = readPart10(dicomFile(EXAMPLE, syntax));
    expect(opened).toMatchObject({
      transferSyntaxUid: syntax,
      sopClassUid: '1.2.840.10008.5.1.4.1.1.1',
      sopInstanceUid: '1.2.3.4',
      pixelData: null,
    });
    const { attributes } = opened;
    expect(texts(attributes, 'ImageType')).toEqual(['DERIVED', 'PRIMARY']);
    expect(numbers(attributes, 'WindowCenter')).toEqual([2047, 100]);
    expect([
      number(attributes, 'Rows'),
      number(attributes, 'InstanceNumber'),
      number(attributes, 'PixelPaddingValue'),
    ]).toEqual([4, 42, 7]);
    const [lut] = items(attributes, 'VOILUTSequence');
    expect(numbers(lut!, 'LUTDescriptor')).toEqual([4, 0, 8]);
  });

  test('the pixel data are a view of the file, not attributes', () => {
    const file = film([1, 2, 3, 4], { rows: 2, columns: 2 });
    const { attributes, pixelData } = readPart10(file);
    expect(attributes).not.toHaveProperty('PixelData');
    expect(pixelData).toMatchObject({ encapsulated: false, truncated: false, vr: 'OW' });
    expect(pixelData!.fragments[0]!.buffer).toBe(file.buffer);
  });

  test('fragments are found whatever the Basic Offset Table says', () => {
    const parts = [Buffer.from('abcd'), Buffer.from('ef')];
    for (const table of [Buffer.alloc(0), Buffer.from([0, 0, 0, 0, 99, 99, 0, 0])]) {
      const { pixelData } = readPart10(dicomFile(filmElements(), '1.2.840.10008.1.2.4.90', encapsulated(parts, table)));
      expect(pixelData!.fragments.map((part) => Buffer.from(part).toString())).toEqual(['abcd', 'ef']);
      expect(pixelData).toMatchObject({ encapsulated: true, truncated: false });
    }
  });

  test('bytes behind the pixel data do not matter', () => {
    const file = Buffer.concat([film([1, 2, 3, 4], { rows: 2, columns: 2 }), Buffer.from('trailing rubbish')]);
    expect(readPart10(file).pixelData!.fragments[0]).toHaveLength(8);
  });
});

test('an identifier is one text with its backslashes, whatever its VR says; other texts are values', () => {
  const { attributes } = readPart10(
    dicomFile([
      ...filmElements({ more: [[0x00100020, 'LO', ' 1234 \\567\0']] }),
      [0x00080050, 'IS', '007\\8'],
      [0x00081030, 'LO', 'a\\b'],
    ]),
  );
  expect(attributes).toMatchObject({
    PatientID: '1234 \\567',
    AccessionNumber: '007\\8',
    StudyDescription: ['a', 'b'],
  });
});

describe('files that are not quite PS3.10', () => {
  test.each([
    ['explicit, little endian', { explicit: true, little: true }, SYNTAX.explicit],
    ['implicit', { explicit: false, little: true }, SYNTAX.implicit],
    ['big endian', { explicit: true, little: false }, SYNTAX.bigEndian],
  ] as const)('a bare data set, %s', (_, style, syntax) => {
    expect(readPart10(encode(filmElements(), style))).toMatchObject({
      transferSyntaxUid: syntax,
      sopInstanceUid: '1.2.3.4',
    });
  });

  test('no preamble, and a wrong group length', () => {
    const meta = encode([
      [0x00020000, 'UL', [9999]],
      [0x00020010, 'UI', SYNTAX.implicit],
    ]);
    const file = Buffer.concat([meta, encode(filmElements(), { explicit: false, little: true })]);
    expect(readPart10(file)).toMatchObject({ transferSyntaxUid: SYNTAX.implicit, sopInstanceUid: '1.2.3.4' });
  });

  test('sequences of undefined length, nested, and of VR UN', () => {
    const inner = encode([[0x00080100, 'SH', 'CODE']]);
    const end = Buffer.from('feff0de000000000', 'hex');
    const stop = Buffer.from('feffdde000000000', 'hex');
    const open = Buffer.from('feff00e0ffffffff', 'hex');
    const undefinedLength = element(0x00082218, 'SQ', Buffer.concat([open, inner, end, stop]), undefined, 0xffffffff);
    const implicitItem = Buffer.concat([
      open,
      encode([[0x00080104, 'LO', 'MEANING']], { explicit: false, little: true }),
      end,
      stop,
    ]);
    const unknown = element(0x00540220, 'UN', implicitItem, undefined, 0xffffffff);
    const { attributes } = readPart10(
      dicomFile(
        filmElements().slice(0, 3),
        SYNTAX.explicit,
        Buffer.concat([undefinedLength, unknown, encode([[0x00200013, 'IS', '7']])]),
      ),
    );
    expect(text(items(attributes, 'AnatomicRegionSequence')[0]!, 'CodeValue')).toBe('CODE');
    expect(text(items(attributes, 'ViewCodeSequence')[0]!, 'CodeMeaning')).toBe('MEANING');
    expect(number(attributes, 'InstanceNumber')).toBe(7);
  });
});

describe('character sets', () => {
  const japanese = Buffer.from(
    'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
    'latin1',
  );
  const halfWidth = Buffer.from([
    0xd4, 0xcf, 0xc0, 0xde, 0x5e, 0xc0, 0xdb, 0xb3, 0x3d, 0x1b, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, 0x1b, 0x28, 0x4a,
    0x5e, 0x1b, 0x24, 0x42, 0x42, 0x40, 0x4f, 0x3a, 0x1b, 0x28, 0x4a,
  ]);
  const korean = Buffer.concat([
    Buffer.from('Hong^Gildong=\x1b$)C', 'latin1'),
    Buffer.from([0xfb, 0xf3, 0x5e]),
    Buffer.from('\x1b$)C', 'latin1'),
    Buffer.from([0xd1, 0xce, 0xd4, 0xd7]),
  ]);
  const russianGreek = Buffer.concat([
    Buffer.from('\x1b-L', 'latin1'),
    Buffer.from([0xbb, 0xee, 0xda]),
    Buffer.from('\x1b-F', 'latin1'),
    Buffer.from([0xc4, 0xe9]),
  ]);
  test.each([
    ['none, but Latin-1 inside', '', Buffer.from('Müller', 'latin1'), 'Müller', undefined],
    ['ISO_IR 100', 'ISO_IR 100', Buffer.from('Buc^J\xe9r\xf4me', 'latin1'), 'Buc^Jérôme', undefined],
    ['ISO_IR 192', 'ISO_IR 192', Buffer.from('Wang^XiaoDong=王^小东', 'utf8'), 'Wang^XiaoDong', '王^小东'],
    ['ISO_IR 144', 'ISO_IR 144', Buffer.from([0xbb, 0xee, 0xda, 0x62]), 'Люкb', undefined],
    ['ISO_IR 13', 'ISO_IR 13', Buffer.from([0xd4, 0xcf, 0xc0, 0xde]), 'ﾔﾏﾀﾞ', undefined],
    ['GB18030', 'GB18030', Buffer.from([0x57, 0x3d, 0xcd, 0xf5, 0x5e, 0xd0, 0xa1]), 'W', '王^小'],
    ['ISO 2022 IR 87', '\\ISO 2022 IR 87', japanese, 'Yamada^Tarou', '山田^太郎'],
    ['ISO 2022 IR 13 and 87', 'ISO 2022 IR 13\\ISO 2022 IR 87', halfWidth, 'ﾔﾏﾀﾞ^ﾀﾛｳ', '山田^太郎'],
    ['ISO 2022 IR 149', '\\ISO 2022 IR 149', korean, 'Hong^Gildong', '洪^吉洞'],
    [
      'Cyrillic and Greek side by side',
      'ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126',
      russianGreek,
      'ЛюкΔι',
      undefined,
    ],
    ['an unknown one', 'ISO_IR 999', Buffer.from('Caf\xe9', 'latin1'), 'Caf\ufffd', undefined],
    ['an unknown one that is UTF-8', 'KLINGON', Buffer.from('Müller', 'utf8'), 'Müller', undefined],
    ['an unknown one with a known extension', 'X\\ISO 2022 IR 87', japanese, 'Yamada^Tarou', '山田^太郎'],
    ['none, but UTF-8 inside', '', Buffer.from('Müller-Żółć^Jörg', 'utf8'), 'Müller-Żółć^Jörg', undefined],
    ['ISO_IR 6, but UTF-8 inside', 'ISO_IR 6', Buffer.from('Müller', 'utf8'), 'Müller', undefined],
    ['UTF-8 beside another', 'ISO_IR 100\\ISO_IR 192', Buffer.from('Żółć', 'utf8'), 'Żółć', undefined],
    ['ISO 2022 IR 87 alone', 'ISO 2022 IR 87', japanese, 'Yamada^Tarou', '山田^太郎'],
  ])('%s', (_, set, bytes, alphabetic, ideographic) => {
    const elements: FixtureElement[] = [
      [0x00080005, 'CS', set],
      ...filmElements().slice(0, 3),
      [0x00100010, 'PN', bytes],
    ];
    const { attributes } = readPart10(dicomFile(elements));
    expect(personName(attributes, 'PatientName')).toBe(alphabetic);
    expect((attributes.PatientName as { Ideographic?: string }[])[0]!.Ideographic?.trim()).toBe(ideographic);
  });

  test.each([
    ...[
      'ISO-IR 192',
      'ISO_IR192',
      'ISO IR 192',
      'iso_ir 192',
      'ISOIR192',
      'IR 192',
      'UTF-8',
      'UTF8',
      'utf_8',
      'Unicode UTF-8',
    ].map((term) => [term, 'Żółć'] as const),
    ...[
      'iso_ir 100',
      'ISO_IR_100',
      'ISO-IR-100',
      'ISO8859-1',
      'ISO 8859-1',
      'ISO_8859_1',
      '8859/1',
      'latin1',
      'Latin-1',
      'ISO 2022 IR 100',
      'windows-1252',
    ].map((term) => [term, 'Müé'] as const),
    ...['ISO_IR101', 'iso-8859-2', 'ISO8859_2', 'latin2'].map((term) => [term, 'Łż'] as const),
    ...['ISO-IR 144', 'ISO8859-5'].map((term) => [term, 'Люк'] as const),
    ...['GB18030', 'gb 18030', 'GB-18030', 'gbk', 'GB2312', 'ISO_IR58'].map((term) => [term, '王小'] as const),
    ['windows-1251', 'Люк'],
  ] as const)('the spelling %s: %s', (term, name) => {
    const written: Readonly<Record<string, Uint8Array>> = {
      Żółć: Buffer.from('Żółć', 'utf8'),
      Müé: Buffer.from('Müé', 'latin1'),
      Łż: Uint8Array.of(0xa3, 0xbf),
      Люк: term === 'windows-1251' ? Uint8Array.of(0xcb, 0xfe, 0xea) : Uint8Array.of(0xbb, 0xee, 0xda),
      王小: Uint8Array.of(0xcd, 0xf5, 0xd0, 0xa1),
    };
    const { attributes } = readPart10(
      dicomFile([
        [0x00080005, 'CS', term],
        [0x00080018, 'UI', '1.2'],
        [0x00100020, 'LO', written[name]!],
      ]),
    );
    expect(text(attributes, 'PatientID')).toBe(name);
  });

  test('holds in sequences too, unless an item has its own', () => {
    const meaning = (bytes: Uint8Array, ...more: FixtureElement[]): FixtureElement[] => [
      ...more,
      [0x00080104, 'LO', bytes],
    ];
    const sequence: FixtureElement = [
      0x00082218,
      'SQ',
      [meaning(Buffer.from('胸', 'utf8')), meaning(Buffer.from([0xbb]), [0x00080005, 'CS', 'ISO_IR 144'])],
    ];
    const { attributes } = readPart10(
      dicomFile([[0x00080005, 'CS', 'ISO_IR 192'], ...filmElements().slice(0, 2), sequence]),
    );
    expect(items(attributes, 'AnatomicRegionSequence').map((item) => text(item, 'CodeMeaning'))).toEqual(['胸', 'Л']);
  });

  test('JIS X 0212', () => {
    const { attributes } = readPart10(
      dicomFile([
        [0x00080005, 'CS', '\\ISO 2022 IR 159'],
        [0x00080018, 'UI', '1.2'],
        [0x00081030, 'LO', Buffer.from('\x1b$(D0!\x1b(B!', 'latin1')],
      ]),
    );
    expect(text(attributes, 'StudyDescription')).toBe('丂!');
  });
});

describe('damaged files end as DICOM_UNREADABLE', () => {
  const whole = dicomFile([...EXAMPLE, [0x7fe00010, 'OW', Buffer.alloc(32)]]);
  const nested = (levels: number): FixtureElement[] =>
    levels === 0 ? [[0x00080100, 'SH', 'X']] : [[0x00082218, 'SQ', [nested(levels - 1)]]];
  test.each<[string, Uint8Array]>([
    ['no bytes', new Uint8Array(0)],
    ['a text', Buffer.from('Dear colleague, '.repeat(40))],
    ['a PNG', Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(400)])],
    ['a preamble and no more', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])],
    ['a value that ends too early', whole.subarray(0, 300)],
    [
      'a length beyond the file',
      dicomFile(
        filmElements().slice(0, 2),
        SYNTAX.explicit,
        element(0x00200010, 'SH', Buffer.from('AB'), undefined, 0xfff0),
      ),
    ],
    [
      'a length of four gigabytes',
      dicomFile(
        filmElements().slice(0, 2),
        SYNTAX.explicit,
        element(0x00421011, 'OB', Buffer.from('AB'), undefined, 0xfffffffe),
      ),
    ],
    [
      'an element without a VR',
      dicomFile(filmElements().slice(0, 2), SYNTAX.explicit, Buffer.from('2000100000000000', 'hex')),
    ],
    [
      'a sequence without an end',
      dicomFile([], SYNTAX.explicit, element(0x00082218, 'SQ', item1(Buffer.alloc(0)), undefined, 0xffffffff)),
    ],
    ['a sequence of no items', dicomFile([], SYNTAX.explicit, element(0x00082218, 'SQ', Buffer.from('NOT AN ITEM!')))],
    [
      'an item longer than its sequence',
      dicomFile([], SYNTAX.explicit, element(0x00082218, 'SQ', Buffer.from('feff00e0ff000000', 'hex'))),
    ],
    ['sequences 100 deep', dicomFile(nested(100))],
    ['a deflated body that is none', Buffer.concat([fileMeta(SYNTAX.deflated), Buffer.from('not deflated at all')])],
  ])('%s', (_, bytes) => {
    expect(failure(bytes)).toMatchObject({ code: 'DICOM_UNREADABLE', lasting: 'permanent' });
  });

  test('a deflated bomb', () => {
    const bomb = Buffer.concat([fileMeta(SYNTAX.deflated), deflateRawSync(Buffer.alloc(10_000_000))]);
    expect(bomb.length).toBeLessThan(20_000);
    expect(() => readPart10(bomb, 1_000_000)).toThrow(
      expect.objectContaining({
        code: 'DICOM_UNREADABLE',
        cause: expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }),
      }),
    );
  });

  test('pixel data that are cut off are said to be', () => {
    expect(readPart10(whole.subarray(0, -4)).pixelData).toMatchObject({ truncated: true });
    const compressed = dicomFile(filmElements(), '1.2.840.10008.1.2.4.90', encapsulated([Buffer.alloc(20)]));
    expect(readPart10(compressed.subarray(0, -12)).pixelData).toMatchObject({ encapsulated: true, truncated: true });
  });

  test('whatever single byte is wrong, only a HilumError comes', () => {
    for (let offset = 132; offset < whole.length; offset += 1) {
      for (const value of [0, 0x41, 0xff]) {
        const bytes = Uint8Array.from(whole);
        bytes[offset] = value;
        try {
          readPart10(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(HilumError);
        }
      }
    }
  });
});

describe('typed getters', () => {
  test('every keyword is in the dictionary', () => {
    expect(KEYWORDS.filter((keyword) => dcmjs.data.DicomMetaDictionary.nameMap[keyword] === undefined)).toEqual([]);
  });

  test('values as dcmjs, QIDO and sloppy files give them', () => {
    const odd: Attributes = {
      Rows: '512',
      WindowCenter: ['40', 80],
      RescaleSlope: 'one',
      StudyID: null,
      PatientName: [{ Alphabetic: '', Ideographic: '山' }],
      BodyPartExamined: ['', 'CHEST'],
      Columns: [],
      LUTData: Uint8Array.of(1).buffer,
    };
    expect(number(odd, 'Rows')).toBe(512);
    expect(numbers(odd, 'WindowCenter')).toEqual([40, 80]);
    expect(number(odd, 'RescaleSlope')).toBeNaN();
    expect([text(odd, 'StudyID'), text(odd, 'Modality'), number(odd, 'Columns')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([personName(odd, 'PatientName'), text(odd, 'BodyPartExamined')]).toEqual(['山', 'CHEST']);
    expect(binary(odd, 'LUTData')).toEqual(Uint8Array.of(1));
    expect(items({ VOILUTSequence: { LUTDescriptor: [1] } }, 'VOILUTSequence')).toHaveLength(1);
  });
});
