import { decodePixels } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import {
  dicomFile,
  encapsulated,
  film,
  filmElements,
  type FilmOptions,
  type FixtureElement,
  SYNTAX,
} from '../support/films/dicom-fixture';

const decode = async (file: Uint8Array) => decodePixels(readPart10(file));
const shown = async (cells: readonly number[], options: FilmOptions = {}, syntax?: string) =>
  Array.from((await decode(film(cells, { rows: 1, columns: cells.length, ...options }, syntax))).values);
const near = (expected: readonly number[], digits = 5) =>
  expected.map((value) => expect.closeTo(value, digits) as number);
const window = (center: string, width: string, voiFunction?: string): FixtureElement[] => [
  [0x00281050, 'DS', center],
  [0x00281051, 'DS', width],
  ...(voiFunction ? [[0x00281056, 'CS', voiFunction] as FixtureElement] : []),
];

describe('stored values', () => {
  test.each([
    [8, 8],
    [16, 8],
    [16, 10],
    [16, 12],
    [16, 14],
    [16, 15],
    [16, 16],
  ])('%i bits allocated, %i stored', async (bitsAllocated, bitsStored) => {
    const top = 2 ** bitsStored - 1;
    expect(await shown([0, 1, top >> 1, top], { bitsAllocated, bitsStored })).toEqual(
      near([0, 1 / top, (top >> 1) / top, 1]),
    );
  });

  test.each(Object.entries(SYNTAX))('%s', async (_, syntax) => {
    expect(await shown([0, 0x0102, 0x0fff, 0x0800], {}, syntax)).toEqual(near([0, 0x102 / 0xfff, 1, 0x800 / 0xfff]));
  });

  test.each([12, 16])('signed, %i bits: the sign is extended from the bits stored', async (bitsStored) => {
    const mask = 2 ** bitsStored - 1;
    expect(await shown([-100 & mask, 0, 100, 300], { bitsStored, signed: true })).toEqual(near([0, 0.25, 0.5, 1]));
  });

  test('signed, 8 bits', async () => {
    expect(await shown([0x80, 0, 0x7f], { bitsAllocated: 8, bitsStored: 8, signed: true })).toEqual(
      near([0, 128 / 255, 1]),
    );
  });

  test('a high bit above the stored bits, and overlay bits around them', async () => {
    expect(await shown([0x0000, 0x800f, 0xfff0, 0xffff], { bitsStored: 12, highBit: 15 })).toEqual(
      near([0, 0x800 / 0xfff, 1, 1]),
    );
    const overlays = [10, 11, 12, 13, 14, 15].map((bit, index): FixtureElement => [
      0x60000102 + index * 0x20000,
      'US',
      [bit],
    ]);
    expect(await shown([0xf000, 0x1400, 0x23ff], { bitsStored: 10, highBit: 9, more: overlays })).toEqual(
      near([0, 0, 1]),
    );
  });

  describe('values beyond Bits Stored that no overlay claims are read as they are, and said', () => {
    test.each<[string, number[], FilmOptions, number[], number]>([
      ['unsigned', [0, 1000, 1023, 1024, 2046], { bitsStored: 10 }, [0, 1000 / 2046, 1023 / 2046, 1024 / 2046, 1], 2],
      ['the top bit of the cell', [0, 0x0fff, 0x8000], { bitsStored: 12 }, [0, 0xfff / 0x8000, 1], 1],
      ['signed', [-1000 & 0xffff, 0, 3000], { bitsStored: 12, signed: true }, [0, 0.25, 1], 1],
      ['8 bits', [0, 60, 120], { bitsAllocated: 8, bitsStored: 6 }, [0, 0.5, 1], 1],
      ['High Bit 15, but from bit 0 on', [0, 0x7ff, 0xffe], { bitsStored: 12, highBit: 15 }, [0, 0.5, 1], 2],
    ])('%s', async (_, cells, options, expected, pixels) => {
      const image = await decode(film(cells, { rows: 1, columns: cells.length, ...options }));
      expect(Array.from(image.values)).toEqual(near(expected));
      expect(image.remarks).toEqual([{ kind: 'beyond-bits-stored', pixels }]);
    });

    test('an overlay beside them stays out', async () => {
      const more: FixtureElement[] = [[0x60040102, 'US', [15]]];
      const image = await decode(
        film([0x8000, 0x07d0, 0x8fa0], { rows: 1, columns: 3, bitsStored: 11, highBit: 10, more }),
      );
      expect(Array.from(image.values)).toEqual(near([0, 0.5, 1]));
    });

    test('sign bits up to the top of the cell are no such values', async () => {
      const cells = [-100 & 0xffff, 0, 100];
      const image = await decode(film(cells, { rows: 1, columns: 3, bitsStored: 12, signed: true }));
      expect(Array.from(image.values)).toEqual(near([0, 0.5, 1]));
      expect(image.remarks).toBeUndefined();
    });
  });

  test('an impossible high bit is taken for bits stored - 1', async () => {
    expect(await shown([0, 0x7ff, 0xfff], { bitsStored: 12, highBit: 3 })).toEqual(near([0, 0x7ff / 0xfff, 1]));
  });

  test('big endian swaps the words of OW even with two samples in each', async () => {
    const words: FixtureElement = [0x7fe00010, 'OW', Uint8Array.of(10, 0, 30, 20)];
    const file = dicomFile(
      [...filmElements({ rows: 1, columns: 4, bitsAllocated: 8, bitsStored: 8 }), words],
      SYNTAX.bigEndian,
    );
    expect(Array.from((await decode(file)).values)).toEqual(near([0, 10 / 30, 20 / 30, 1]));
  });
});

describe('modality and VOI', () => {
  const lutSequence = (tag: number, descriptor: number[], vr: string, data: FixtureElement[2]): FixtureElement => [
    tag,
    'SQ',
    [
      [
        [0x00283002, 'US', descriptor],
        [0x00283006, vr, data],
      ],
    ],
  ];
  const MODALITY = 0x00283000;
  const VOI = 0x00283010;

  test('LINEAR is PS3.3 C.11.2.1.2.1, with its half and its minus one', async () => {
    // c = 2048, w = 4096: the whole of 12 bits, 0 to black and 4095 to white.
    expect(await shown([0, 1000, 2048, 4095], { more: window('2048', '4096') })).toEqual(
      near([0, 1000 / 4095, 2048 / 4095, 1]),
    );
    expect(await shown([90, 95, 100, 104, 200], { more: window('100', '10') })).toEqual(
      near([0, (95 - 99.5) / 9 + 0.5, 0.5 + 0.5 / 9, 1, 1]),
    );
    expect(await shown([99, 100], { more: window('100', '1') })).toEqual([0, 1]);
  });

  test('LINEAR_EXACT and SIGMOID', async () => {
    expect(await shown([95, 100, 105, 0], { more: window('100', '10', 'LINEAR_EXACT') })).toEqual(near([0, 0.5, 1, 0]));
    expect(await shown([95, 100, 105], { more: window('100', '10', 'SIGMOID') })).toEqual(
      near([1 / (1 + Math.E ** 2), 0.5, 1 / (1 + Math.E ** -2)]),
    );
  });

  test('of several windows the first', async () => {
    expect(await shown([0, 50, 99], { more: window('50\\2000', '100\\10') })).toEqual(near([0, 50 / 99, 1]));
  });

  test.each([
    ['no window', []],
    ['a width of 0', window('100', '0')],
    ['a center that is no number', window('NaN', '100')],
    ['a window that shows nothing', window('3000', '10')],
  ])('%s: smallest to largest', async (_, more) => {
    expect(await shown([100, 150, 200], { more })).toEqual(near([0, 0.5, 1]));
  });

  test('rescale before the window', async () => {
    const more: FixtureElement[] = [[0x00281052, 'DS', '-1000'], [0x00281053, 'DS', '2'], ...window('0.5', '1001')];
    expect(await shown([250, 500, 750], { more })).toEqual(near([0, 0.5, 1]));
  });

  test.each([
    ['NaN', '1'],
    ['0', 'one'],
    ['0', '0'],
    ['1e999', '1'],
  ])('rescale intercept %s, slope %s is refused', async (intercept, slope) => {
    await expect(
      shown([1, 2], {
        more: [
          [0x00281052, 'DS', intercept],
          [0x00281053, 'DS', slope],
        ],
      }),
    ).rejects.toMatchObject({ fault: 'undecodable' });
  });

  test.each<[string, string, FixtureElement[2]]>([
    ['words as US', 'US', [0, 100, 300, 1000]],
    ['words as OW', 'OW', Uint8Array.of(0, 0, 100, 0, 0x2c, 1, 0xe8, 3)],
  ])('Modality LUT, %s, inputs beyond its ends', async (_, vr, data) => {
    const more = [lutSequence(MODALITY, [4, 10, 16], vr, data)];
    expect(await shown([5, 10, 11, 12, 13, 500], { more })).toEqual(near([0, 0, 0.1, 0.3, 1, 1]));
  });

  test('VOI LUT of 8-bit entries packed into words, in preference to the window', async () => {
    const more = [lutSequence(VOI, [4, 0, 8], 'OW', Uint8Array.of(0, 51, 102, 255)), ...window('2', '4')];
    expect(await shown([0, 1, 2, 3, 9], { more })).toEqual(near([0, 0.2, 0.4, 1, 1]));
  });

  test('a VOI LUT of 65536 entries says 0 of them', async () => {
    const data = Buffer.alloc(0x20000);
    for (let index = 0; index < 0x10000; index += 1) data.writeUInt16LE(0xffff - index, 2 * index);
    const more = [lutSequence(VOI, [0, 0, 16], 'OW', data)];
    expect(await shown([0, 0xffff], { bitsStored: 16, more })).toEqual([1, 0]);
  });

  test('in implicit VR the first input value of a signed film is signed', async () => {
    const more = [lutSequence(MODALITY, [3, -1, 16], 'US', Uint8Array.of(0, 0, 1, 0, 2, 0))];
    expect(await shown([-1, 0, 1], { bitsStored: 16, signed: true, more }, SYNTAX.implicit)).toEqual(near([0, 0.5, 1]));
  });

  test.each([
    [16, 12],
    [16, 8],
    [12, 16],
    [10, 12],
  ])('a VOI LUT that says %i bits over entries of %i: by its entries', async (said, held) => {
    const top = 2 ** held - 1;
    const more = [lutSequence(VOI, [4, 0, said], 'US', [0, top / 5, (3 * top) / 5, top])];
    expect(await shown([0, 1, 2, 3], { more })).toEqual(near([0, 0.2, 0.6, 1], 3));
  });

  test('a palette that says 16 bits over entries of 8: by its entries', async () => {
    const palette = [0x00281101, 0x00281102, 0x00281103].map((tag): FixtureElement => [tag, 'US', [3, 0, 16]]);
    const data = [0x00281201, 0x00281202, 0x00281203].map((tag): FixtureElement => [
      tag,
      'OW',
      Uint8Array.of(0, 0, 51, 0, 255, 0),
    ]);
    const more = [...palette, ...data];
    expect(await shown([0, 1, 2], { bitsAllocated: 8, bitsStored: 8, photometric: 'PALETTE COLOR', more })).toEqual(
      near([0, 0.2, 1]),
    );
  });

  describe('the first input value of a LUT is read by the sign of its inputs, whatever its VR says', () => {
    const lut = (tag: number, vr: string, first: number): FixtureElement => [
      tag,
      'SQ',
      [
        [
          [0x00283002, vr, [3, first, 16]],
          [0x00283006, 'US', [0, 0x7fff, 0xffff]],
        ],
      ],
    ];
    const rescale: FixtureElement[] = [
      [0x00281052, 'DS', '-1000'],
      [0x00281053, 'DS', '1'],
    ];
    const signed = { bitsStored: 16, signed: true };
    const unsigned = { bitsStored: 16 };
    test.each<[string, number[], FilmOptions]>([
      ['Modality LUT, US on signed', [-2, -1, 0], { ...signed, more: [lut(MODALITY, 'US', -2 & 0xffff)] }],
      ['Modality LUT, SS on unsigned', [40000, 40001, 40002], { ...unsigned, more: [lut(MODALITY, 'SS', 40000)] }],
      ['VOI LUT, US on signed', [-2, -1, 0], { ...signed, more: [lut(VOI, 'US', -2 & 0xffff)] }],
      ['VOI LUT, SS on unsigned', [40000, 40001, 40002], { ...unsigned, more: [lut(VOI, 'SS', 40000)] }],
      [
        'VOI LUT behind a rescale below zero',
        [998, 999, 1000],
        { bitsStored: 12, more: [lut(VOI, 'US', -2 & 0xffff), ...rescale] },
      ],
    ])('%s', async (_, cells, options) => {
      expect(await shown(cells, options)).toEqual(near([0, 0.5, 1], 4));
    });
  });

  test('a VOI LUT shorter than it says is passed over, a Modality LUT refused', async () => {
    const short = [4, 0, 16];
    expect(await shown([0, 1, 2], { more: [lutSequence(VOI, short, 'US', [1, 2])] })).toEqual(near([0, 0.5, 1]));
    await expect(shown([0, 1], { more: [lutSequence(MODALITY, short, 'US', [1, 2])] })).rejects.toMatchObject({
      fault: 'undecodable',
    });
  });
});

describe('black and white', () => {
  const shape = (value: string): FixtureElement[] => [[0x20500020, 'CS', value]];
  test.each([
    ['MONOCHROME2', [], [0, 1]],
    ['MONOCHROME2', shape('IDENTITY'), [0, 1]],
    ['MONOCHROME2', shape('INVERSE'), [1, 0]],
    ['MONOCHROME1', [], [1, 0]],
    ['MONOCHROME1', shape('INVERSE'), [1, 0]],
    ['MONOCHROME1', shape('IDENTITY'), [1, 0]],
  ])('%s %j', async (photometric, more, expected) => {
    expect(await shown([0, 4095], { photometric, more })).toEqual(expected);
  });

  test.each(['MONOCHROME1', 'MONOCHROME2'])(
    'padding is black and does not stretch the range, %s',
    async (photometric) => {
      const more: FixtureElement[] = [
        [0x00280120, 'US', [4000]],
        [0x00280121, 'US', [4095]],
      ];
      const [first, last] = photometric === 'MONOCHROME1' ? [1, 0] : [0, 1];
      expect(await shown([4000, 4050, 4095, 100, 200], { photometric, more })).toEqual([0, 0, 0, first, last]);
    },
  );

  test('negative padding of a signed film, without its VR', async () => {
    expect(
      await shown(
        [-2000, 0, 100, 50],
        { bitsStored: 16, signed: true, more: [[0x00280120, 'SS', [-2000]]] },
        SYNTAX.implicit,
      ),
    ).toEqual(near([0, 0, 1, 0.5]));
  });
});

describe('Pixel Padding Value is read by Pixel Representation, whatever its VR says', () => {
  test.each<[string, number[], FilmOptions]>([
    [
      'US on signed',
      [-32000 & 0xffff, 0, 50, 100],
      { bitsStored: 16, signed: true, more: [[0x00280120, 'US', [-32000 & 0xffff]]] },
    ],
    [
      'US of 8 bits on signed',
      [0x80, 0, 50, 100],
      { bitsAllocated: 8, bitsStored: 8, signed: true, more: [[0x00280120, 'US', [0x80]]] },
    ],
    [
      'US of 12 bits on signed',
      [0x800, 0, 50, 100],
      { bitsStored: 12, signed: true, more: [[0x00280120, 'US', [0x800]]] },
    ],
    ['SS on unsigned', [40000, 0, 50, 100], { bitsStored: 16, more: [[0x00280120, 'SS', [40000]]] }],
    [
      'US on signed, with a range',
      [-30000 & 0xffff, 0, 50, 100],
      {
        bitsStored: 16,
        signed: true,
        more: [
          [0x00280120, 'US', [-32000 & 0xffff]],
          [0x00280121, 'US', [-20000 & 0xffff]],
        ],
      },
    ],
  ])('%s', async (_, cells, options) => {
    expect(await shown(cells, options)).toEqual(near([0, 0, 0.5, 1]));
  });
});

describe('colour', () => {
  const colour = { samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, rows: 1, columns: 2 };
  const GRAYS = [Math.round(0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255, 30 / 255];
  test('RGB by pixel and by plane', async () => {
    expect(await shown([200, 100, 50, 30, 30, 30], { ...colour, photometric: 'RGB' })).toEqual(near(GRAYS));
    expect(
      await shown([200, 30, 100, 30, 50, 30], { ...colour, photometric: 'RGB', more: [[0x00280006, 'US', [1]]] }),
    ).toEqual(near(GRAYS));
  });

  test('YBR_FULL and YBR_FULL_422', async () => {
    expect(await shown([200, 1, 2, 30, 3, 4], { ...colour, photometric: 'YBR_FULL' })).toEqual(
      near([200 / 255, 30 / 255]),
    );
    expect(await shown([200, 30, 1, 2], { ...colour, photometric: 'YBR_FULL_422' })).toEqual(
      near([200 / 255, 30 / 255]),
    );
  });

  test('YBR_FULL_422 that is named so after its samples were unpacked', async () => {
    expect(await shown([200, 1, 2, 30, 3, 4], { ...colour, photometric: 'YBR_FULL_422' })).toEqual(
      near([200 / 255, 30 / 255]),
    );
  });

  test.each<[string, readonly number[], FilmOptions, true | undefined]>([
    ['RGB with a colour', [200, 100, 50, 30, 30, 30], { photometric: 'RGB' }, true],
    ['grey RGB', [200, 200, 200, 30, 30, 30], { photometric: 'RGB' }, undefined],
    ['RGB that a lossy codec tinted', [200, 190, 210, 30, 40, 20], { photometric: 'RGB' }, undefined],
    ['RGB by plane', [200, 30, 100, 30, 50, 30], { photometric: 'RGB', more: [[0x00280006, 'US', [1]]] }, true],
    ['YBR_FULL with a colour', [200, 128, 200, 30, 128, 128], { photometric: 'YBR_FULL' }, true],
    ['grey YBR_FULL', [200, 128, 128, 30, 127, 129], { photometric: 'YBR_FULL' }, undefined],
    ['YBR_FULL_422 with a colour', [200, 30, 20, 128], { photometric: 'YBR_FULL_422' }, true],
    ['grey YBR_FULL_422', [200, 30, 128, 128], { photometric: 'YBR_FULL_422' }, undefined],
  ])('%s: whether it has colours', async (_, samples, options, coloured) => {
    expect((await decode(film(samples, { ...colour, ...options }))).coloured).toBe(coloured);
  });

  test('PALETTE COLOR', async () => {
    const palette = [0x00281101, 0x00281102, 0x00281103].map((tag): FixtureElement => [tag, 'US', [2, 0, 16]]);
    const data = [0x00281201, 0x00281202, 0x00281203].map((tag): FixtureElement => [
      tag,
      'OW',
      Uint8Array.of(0xff, 0x7f, 0xff, 0xff),
    ]);
    expect(
      await shown([0, 1], {
        bitsAllocated: 8,
        bitsStored: 8,
        photometric: 'PALETTE COLOR',
        more: [...palette, ...data],
      }),
    ).toEqual(near([0.5, 1], 3));
    await expect(
      shown([0, 1], { bitsAllocated: 8, bitsStored: 8, photometric: 'PALETTE COLOR' }),
    ).rejects.toMatchObject({ fault: 'undecodable' });
  });

  test.each<[string, number, number[], true | undefined]>([
    ['colours', 8, [0, 0xff, 0x80], true],
    ['greys', 8, [0x80, 0x80, 0x80], undefined],
    ['colours of 8 bits that it calls 16', 16, [0, 0xff, 0x80], true],
    ['greys of 8 bits that it calls 16', 16, [0x80, 0x80, 0x80], undefined],
  ])('PALETTE COLOR of more than 256 entries, the last in %s', async (_, bits, last, coloured) => {
    const more = [0, 1, 2].flatMap((at): FixtureElement[] => [
      [0x00281101 + at, 'US', [1000, 0, bits]],
      [
        0x00281201 + at,
        'OW',
        new Uint8Array(Uint16Array.from({ length: 1000 }, (__, i) => (i < 999 ? i % 256 : last[at]!)).buffer),
      ],
    ]);
    const options: FilmOptions = { rows: 1, columns: 3, bitsStored: 16, photometric: 'PALETTE COLOR', more };
    expect((await decode(film([0, 999, 200], options))).coloured).toBe(coloured);
  });

  test.each(['HSV', 'CMYK', 'YBR_ALIEN'])('%s is refused', async (photometric) => {
    await expect(shown([1, 2, 3, 4, 5, 6], { ...colour, photometric })).rejects.toMatchObject({ fault: 'undecodable' });
    await expect(shown([1, 2], { photometric })).rejects.toMatchObject({ fault: 'undecodable' });
  });
});

describe('refused before anything is decoded', () => {
  const us = (tag: number, ...values: number[]): FixtureElement => [tag, 'US', values];
  test.each<[string, FixtureElement[], string?]>([
    ['no rows', [us(0x00280010)]],
    ['two values of rows', [us(0x00280010, 32768, 0)]],
    ['zero columns', [us(0x00280011, 0)]],
    ['a side of 20000', [us(0x00280010, 20000)]],
    ['too many pixels', [us(0x00280010, 16000), us(0x00280011, 16000)]],
    ['more pixels than there are bytes', [us(0x00280010, 5)]],
    ['32 bits allocated', [us(0x00280100, 32)]],
    ['1 bit allocated', [us(0x00280100, 1)]],
    ['more bits stored than allocated', [us(0x00280101, 17)]],
    ['zero bits stored', [us(0x00280101, 0)]],
    ['two samples per pixel', [us(0x00280002, 2)]],
    ['no photometric interpretation', [[0x00280004, 'CS', '']]],
    ['12 frames', [[0x00280008, 'IS', '12']], 'multi-frame'],
    ['a number of frames that is none', [[0x00280008, 'IS', '1A']]],
  ])('%s', async (_, more, fault = 'undecodable') => {
    const cells = Array.from({ length: 16 }, (_unused, index) => index);
    await expect(decode(film(cells, { more }))).rejects.toMatchObject({
      code: 'PIXELS_UNDECODABLE',
      lasting: 'permanent',
      fault,
    });
  });

  test.each([
    ['no pixel data', dicomFile(filmElements())],
    ['empty pixel data', dicomFile([...filmElements(), [0x7fe00010, 'OW', new Uint8Array(0)]])],
    [
      'a syntax that is not supported',
      dicomFile(filmElements(), '1.2.840.10008.1.2.4.100', encapsulated([Buffer.alloc(4)])),
    ],
    [
      'a compressed syntax over native data',
      dicomFile([...filmElements(), [0x7fe00010, 'OW', new Uint8Array(32)]], '1.2.840.10008.1.2.4.90'),
    ],
    ['native syntax over fragments', dicomFile(filmElements(), SYNTAX.explicit, encapsulated([Buffer.alloc(32)]))],
    [
      'fragments that are no picture',
      dicomFile(filmElements(), '1.2.840.10008.1.2.4.90', encapsulated([Buffer.from('no picture at all')])),
    ],
    ['an RLE header cut short', dicomFile(filmElements(), '1.2.840.10008.1.2.5', encapsulated([Buffer.alloc(20)]))],
  ])('%s', async (_, file) => {
    await expect(decode(file)).rejects.toMatchObject({ fault: 'undecodable' });
  });

  test('limits are settings', async () => {
    await expect(
      decodePixels(readPart10(film([1, 2, 3, 4], { rows: 2, columns: 2 })), { longestSide: 1, samples: 100 }),
    ).rejects.toMatchObject({ fault: 'undecodable' });
  });
});

test.each([
  ['every pixel the same', [7, 7, 7, 7], []],
  ['nothing but padding', [7, 7, 7, 7], [[0x00280120, 'US', [7]]]],
  ['one value beside the padding', [7, 9, 9, 7], [[0x00280120, 'US', [7]]]],
] as [string, number[], FixtureElement[]][])('a picture of %s is blank', async (_, cells, more) => {
  await expect(shown(cells, { more })).rejects.toMatchObject({
    code: 'PIXELS_UNDECODABLE',
    fault: 'blank-image',
    message: expect.stringContaining('constant image'),
  });
});

test("geometry stays the source's, rows first", async () => {
  const image = await decode(film([0, 1, 2, 3, 4, 5], { rows: 2, columns: 3, more: [[0x00280030, 'DS', '0.1\\0.2']] }));
  expect(image).toMatchObject({ rows: 2, columns: 3 });
  expect(Array.from(image.values)).toEqual(near([0, 0.2, 0.4, 0.6, 0.8, 1]));
});
