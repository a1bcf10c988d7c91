import type { Attributes } from '../../src/dicom/attributes';
import type { Dataset } from '../../src/dicom/dataset';
import { readPart10 } from '../../src/dicom/read';
import { outline } from '../../src/imaging/outline';
import { buildPresentationState, type PresentationContent } from '../../src/objects/presentation-state';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, ellipse, IDENTITY, plane, realFilms } from '../support/broker/outcomes';
import { film, type FilmOptions, type FixtureElement } from '../support/films/dicom-fixture';
import { dciodvfy, dcmdump, dcmp2pgm, dcmpschk, pixelsCovered, pydicom } from '../support/servers/judges';

const [ROWS, COLUMNS] = [24, 32];
const LUNGS = [ellipse(9, 12, 5, 8), ellipse(23, 12, 5, 8)];
const CONTENT: PresentationContent = { lungOutlines: LUNGS, hotRegions: [ellipse(8, 15, 2, 2)] };
const FILM: Attributes = {
  ...BARE_FILM,
  Rows: ROWS,
  Columns: COLUMNS,
  PhotometricInterpretation: 'MONOCHROME2',
  SamplesPerPixel: 1,
};

const build = (source: Attributes, content = CONTENT): Dataset => {
  const built = buildPresentationState(source, content, IDENTITY);
  if (built === null) throw new Error('no presentation state');
  return built;
};
const write = (source: Attributes, content = CONTENT) => writePart10(build(source, content));

const words = (values: readonly number[]) => Buffer.from(Uint16Array.from(values).buffer);
const window = (centre: string, width: string, more: FixtureElement[] = []): FixtureElement[] => [
  [0x00281050, 'DS', centre],
  [0x00281051, 'DS', width],
  ...more,
];
const rescale = (intercept: string, slope: string): FixtureElement[] => [
  [0x00281052, 'DS', intercept],
  [0x00281053, 'DS', slope],
  [0x00281054, 'LO', 'US'],
];
const gamma = (bits: number) => Array.from({ length: 4096 }, (_, i) => Math.round((2 ** bits - 1) * (i / 4095) ** 0.5));
const voiLut = (bits: number): FixtureElement[] => [
  [
    0x00283010,
    'SQ',
    [
      [
        [0x00283002, 'US', [4096, 0, bits]],
        [0x00283003, 'LO', 'Bone'],
        [0x00283006, 'OW', words(gamma(bits))],
      ],
    ],
  ],
];
const modalityLut: FixtureElement[] = [
  [
    0x00283000,
    'SQ',
    [
      [
        [0x00283002, 'US', [4096, 0, 16]],
        [0x00283004, 'LO', 'OD'],
        [0x00283006, 'OW', words(gamma(12).map((entry) => entry * 16))],
      ],
    ],
  ],
];

/** [kind, what the header says] */
const KINDS: readonly [kind: string, options: FilmOptions][] = [
  ['one window', { more: window('2048', '3000') }],
  ['one window, MONOCHROME1', { photometric: 'MONOCHROME1', more: window('1500', '2000') }],
  ['several windows', { more: window('1000\\2048', '1500\\4096') }],
  ['a window after rescaling', { more: [...rescale('-1000', '0.5'), ...window('100', '1500')] }],
  ['a window, signed values', { signed: true, more: window('0', '3000') }],
  ['a sigmoid window', { more: window('2048', '1500', [[0x00281056, 'CS', 'SIGMOID']]) }],
  ['a VOI LUT of 12 bits', { more: voiLut(12) }],
  ['a VOI LUT of 16 bits, MONOCHROME1', { photometric: 'MONOCHROME1', more: voiLut(16) }],
  ['a Modality LUT', { more: modalityLut }],
  ['neither window nor LUT', {}],
  ['eight bits', { bitsAllocated: 8, bitsStored: 8, more: window('100', '120') }],
];
const CLASSES = {
  CR: '1.2.840.10008.5.1.4.1.1.1',
  DX: '1.2.840.10008.5.1.4.1.1.1.1',
  'CR as Secondary Capture': '1.2.840.10008.5.1.4.1.1.7',
} as const;

function drawn(kind: FilmOptions, sopClass: string, more: readonly FixtureElement[] = []): Uint8Array {
  const range = kind.bitsAllocated === 8 ? 256 : 4096;
  const cells = Array.from(
    { length: ROWS * COLUMNS },
    (_, i) => Math.floor((i * range) / (ROWS * COLUMNS)) - (kind.signed ? range / 2 : 0),
  );
  return film(cells, {
    rows: ROWS,
    columns: COLUMNS,
    ...kind,
    more: [[0x00080016, 'UI', sopClass], [0x0020000d, 'UI', '1.2.3'], ...(kind.more ?? []), ...more],
  });
}

describe.each(Object.entries(CLASSES))('judges on the presentation state of a %s', (_class, sopClass) => {
  test.each(KINDS)('film with %s', (_, kind) => {
    const bytes = drawn(kind, sopClass, [[0x00280030, 'DS', '0.2\\0.15']]);
    const state = write(readPart10(bytes).attributes);
    expect(dciodvfy(state).errors).toEqual([]);
    expect(dcmpschk(state)).toMatchObject({ errors: [], warnings: [] });
    expect(dcmdump(state)).toMatchObject({ status: 0, errors: [], warnings: [] });
    expect(pydicom(state)).toMatchObject({ Modality: 'PR', SpecificCharacterSet: 'ISO_IR 192' });
  });
});

describe('the film looks as by its own header', () => {
  const sigmoidIsUnknownToDcmtk = 'a sigmoid window';
  test.each(KINDS.filter(([kind]) => kind !== sigmoidIsUnknownToDcmtk))('film with %s', (_, kind) => {
    const bytes = drawn(kind, CLASSES.CR);
    const [without, by] = [dcmp2pgm(bytes), dcmp2pgm(bytes, write(readPart10(bytes).attributes))].map((pgm) => [
      ...pgm.subarray(-ROWS * COLUMNS),
    ]) as [number[], number[]];
    expect(new Set(by).size).toBeGreaterThan(20);
    expect(by.every((level, i) => Math.abs(level - without[i]!) <= 1)).toBe(true);
  });

  test('and not as by another one: the renderer does follow the presentation state', () => {
    const bytes = drawn({ more: window('2048', '3000') }, CLASSES.CR);
    const other = write({ ...readPart10(bytes).attributes, PhotometricInterpretation: 'MONOCHROME1' });
    expect(dcmp2pgm(bytes, other).equals(dcmp2pgm(bytes))).toBe(false);
  });

  test('a sigmoid window stays one', () => {
    const bytes = drawn({ more: window('2048', '1500', [[0x00281056, 'CS', 'SIGMOID']]) }, CLASSES.CR);
    expect(build(readPart10(bytes).attributes).SoftcopyVOILUTSequence).toEqual([
      { WindowCenter: '2048', WindowWidth: '1500', VOILUTFunction: 'SIGMOID' },
    ]);
  });

  test('a window that is none is left out', () => {
    expect(build({ ...FILM, WindowCenter: 10, WindowWidth: 0 })).not.toHaveProperty('SoftcopyVOILUTSequence');
    expect(build({ ...FILM, WindowCenter: 'x', WindowWidth: 4 })).not.toHaveProperty('SoftcopyVOILUTSequence');
  });

  test('a LUT that claims more bits than its entries fill is spread over what a presentation state may have', () => {
    const item = { LUTDescriptor: [3, 0, 16], LUTData: [0, 0x3fff, 0x7fff] };
    const [sequence] = build({ ...FILM, VOILUTSequence: [item] }).SoftcopyVOILUTSequence as {
      VOILUTSequence: { LUTDescriptor: number[]; LUTData: ArrayBuffer[] }[];
    }[];
    const [lut] = sequence!.VOILUTSequence;
    expect(lut!.LUTDescriptor).toEqual([3, 0, 16]);
    expect([...new Uint16Array(lut!.LUTData[0]!)]).toEqual([0, 0x7ffe, 0xffff]);
  });

  test('its shutter is kept when it is whole, and left out when it is not', () => {
    const shutter = {
      ShutterShape: 'RECTANGULAR',
      ShutterLeftVerticalEdge: 1,
      ShutterRightVerticalEdge: 30,
      ShutterUpperHorizontalEdge: 2,
      ShutterLowerHorizontalEdge: 20,
    };
    const state = write({ ...FILM, ...shutter });
    expect(readPart10(state).attributes).toMatchObject({ ...shutter, ShutterPresentationValue: 0 });
    expect(dciodvfy(state).errors).toEqual([]);
    expect(dcmpschk(state)).toMatchObject({ errors: [], warnings: [] });
    expect(build({ ...FILM, ...shutter, ShutterRightVerticalEdge: null })).not.toHaveProperty('ShutterShape');
    expect(
      build({
        ...FILM,
        ShutterShape: ['CIRCULAR', 'POLYGONAL'],
        CenterOfCircularShutter: [5, 5],
        RadiusOfCircularShutter: 4,
        VerticesOfThePolygonalShutter: [1, 1, 9, 1, 9, 9],
        ShutterPresentationValue: 70_000,
      }),
    ).toMatchObject({
      ShutterShape: ['CIRCULAR', 'POLYGONAL'],
      RadiusOfCircularShutter: ['4'],
      ShutterPresentationValue: 0,
    });
  });
});

describe('outlines', () => {
  test('enclose exactly the pixels of the region: the origin is the corner of the top left pixel', () => {
    const region = { lungs: { from: [3, 5], to: [10, 14] }, activation: { from: [0, 0], to: [4, 2] } } as const;
    const mask = ({ from, to }: { from: readonly [number, number]; to: readonly [number, number] }) =>
      plane(ROWS, COLUMNS, (x, y) =>
        x * COLUMNS > from[0] && x * COLUMNS < to[0] && y * ROWS > from[1] && y * ROWS < to[1] ? 1 : 0,
      );
    const outlined = (of: keyof typeof region) => [outline(mask(region[of]), { column: 1, row: 1 })];
    const pixels = (of: keyof typeof region) =>
      [...mask(region[of]).values].flatMap((value, i) => (value > 0 ? [i] : []));
    const state = write(FILM, { lungOutlines: outlined('lungs'), hotRegions: outlined('activation') });
    expect(pixelsCovered(state)).toEqual({ LUNGS: pixels('lungs'), ACTIVATION: pixels('activation') });
    expect(pixels('lungs')).toHaveLength(7 * 9);
  });

  test('have a layer each, and the words have their own', () => {
    const state = build(FILM);
    const annotations = state.GraphicAnnotationSequence as Dataset[];
    expect(annotations.map(({ GraphicLayer }) => GraphicLayer)).toEqual(['LUNGS', 'ACTIVATION', 'NOTE']);
    expect(
      (state.GraphicLayerSequence as Dataset[]).map(({ GraphicLayer, GraphicLayerOrder }) => [
        GraphicLayer,
        GraphicLayerOrder,
      ]),
    ).toEqual([
      ['LUNGS', '1'],
      ['ACTIVATION', '2'],
      ['NOTE', '3'],
    ]);
    expect(annotations[0]!.GraphicObjectSequence).toHaveLength(2);
    expect(annotations[2]!.TextObjectSequence).toMatchObject([
      {
        UnformattedTextValue:
          'Hilum: lungs, region of greatest class activation for COVID-19. Research use only - not for diagnosis. Unverified.',
      },
    ]);
  });

  test('where nothing speaks for the class no region is called hot', () => {
    const state = build(FILM, { lungOutlines: LUNGS, hotRegions: LUNGS });
    expect((state.GraphicLayerSequence as Dataset[]).map(({ GraphicLayer }) => GraphicLayer)).toEqual([
      'LUNGS',
      'NOTE',
    ]);
    expect(JSON.stringify(state.GraphicAnnotationSequence)).not.toContain('activation');
    expect(dcmpschk(writePart10(state))).toMatchObject({ errors: [], warnings: [] });
  });

  test.each<[string, PresentationContent]>([
    [
      'beyond the film',
      {
        ...CONTENT,
        hotRegions: [
          [
            [0, 0],
            [33, 0],
            [1, 1],
          ],
        ],
      },
    ],
    [
      'of two points',
      {
        ...CONTENT,
        hotRegions: [
          [
            [0, 0],
            [1, 1],
          ],
        ],
      },
    ],
    [
      'with a corner nowhere',
      {
        ...CONTENT,
        hotRegions: [
          [
            [0, 0],
            [1, NaN],
            [1, 1],
          ],
        ],
      },
    ],
    ['that are none', { lungOutlines: [], hotRegions: [] }],
  ])('%s are refused', (_, content) => {
    expect(() => build(FILM, content)).toThrow(
      expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }),
    );
  });

  test('on a film of unknown size are refused', () => {
    expect(() => build({ ...FILM, Rows: null })).toThrow(expect.objectContaining({ code: 'ENCODE_FAILED' }));
  });
});

const films = realFilms();
if (films.length > 0) {
  test.each(films)('judges find no error: %s', (_, source) => {
    const scaled = { columns: Number(source.Columns) / COLUMNS, rows: Number(source.Rows) / ROWS };
    const enlarge = (outlines: PresentationContent['lungOutlines']) =>
      outlines.map((points) => points.map(([x, y]) => [x * scaled.columns, y * scaled.rows] as const));
    const state = write(source, { lungOutlines: enlarge(LUNGS), hotRegions: enlarge(CONTENT.hotRegions) });
    expect(dciodvfy(state, source).errors).toEqual([]);
    expect(dcmpschk(state, source)).toMatchObject({ errors: [], warnings: [] });
    expect(dcmdump(state)).toMatchObject({ status: 0, errors: [], warnings: [] });
    expect(pydicom(state).Modality).toBe('PR');
  });
}
