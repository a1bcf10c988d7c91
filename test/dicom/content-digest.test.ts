import { type ContentDigest, encodedDigest, isSameContent } from '../../src/dicom/content-digest';
import { digestPixels } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { film, type FilmOptions, type FixtureElement, SYNTAX } from '../support/films/dicom-fixture';
import { generatedFilms } from '../support/films/generated-films';

const CELLS = [0, 100, 2000, 4095, 7, 8, 9, 10, 500, 501, 502, 503, 1, 2, 3, 4];
const digestOf = async (bytes: Uint8Array): Promise<ContentDigest> => {
  const opened = readPart10(bytes);
  return { encoded: encodedDigest(opened), decoded: await digestPixels(opened) };
};
const decodedOf = async (bytes: Uint8Array) => (await digestOf(bytes)).decoded;

test('every lossless transfer syntax of the same film has the same content, and no other', async () => {
  const films = await generatedFilms();
  for (const bits of [8, 12, 16]) {
    const same = films.filter(
      ({ name }) => name.endsWith(`, ${bits} bits`) && !/baseline|extended|near|^JPEG 2000,|^HTJ2K,/.test(name),
    );
    expect(same.length).toBeGreaterThan(8);
    const digests = await Promise.all(same.map(({ bytes }) => digestOf(bytes)));
    expect(new Set(digests.map(({ decoded }) => decoded)).size).toBe(1);
    // Explicit and deflated have the same pixel bytes, but are named apart.
    expect(new Set(digests.map(({ encoded }) => encoded)).size).toBe(same.length);
  }
});

test('a film with another window, rescale, LUT, polarity, sign or palette has another content', async () => {
  const names =
    /^(no window|MONOCHROME1|signed|rescaled|narrow window|sigmoid|linear exact|VOI LUT|Modality LUT|RGB|palette|explicit, 12 bits)$/;
  const films = (await generatedFilms()).filter(({ name }) => names.test(name));
  expect(films).toHaveLength(12);
  expect(new Set(await Promise.all(films.map(({ bytes }) => decodedOf(bytes)))).size).toBe(12);
});

const made = (more: FixtureElement[] = [], options: FilmOptions = {}, syntax: string = SYNTAX.explicit) =>
  film(CELLS, { ...options, more }, syntax);
const WINDOW: FixtureElement[] = [
  [0x00281050, 'DS', '2048'],
  [0x00281051, 'DS', '4096'],
];

test.each<[string, FixtureElement[], FixtureElement[]]>([
  [
    'numbers written otherwise',
    [
      [0x00281050, 'DS', '2048.0'],
      [0x00281051, 'DS', '4.096E3'],
    ],
    WINDOW,
  ],
  ['a default that is written down', [...WINDOW, [0x00281056, 'CS', 'LINEAR'], [0x00281053, 'DS', '1']], WINDOW],
  ['another name', [...WINDOW, [0x00100010, 'PN', 'Somebody^Else']], WINDOW],
  [
    'another identifier, description and body part',
    [...WINDOW, [0x00100020, 'LO', 'Y'], [0x0008103e, 'LO', 'x'], [0x00180015, 'CS', 'CHEST']],
    WINDOW,
  ],
  [
    'a second window',
    [
      [0x00281050, 'DS', '2048\\1'],
      [0x00281051, 'DS', '4096\\2'],
    ],
    WINDOW,
  ],
  ['the standard orientation written down', [[0x00200020, 'CS', 'L\\F']], []],
  ['square pixels written down', [[0x00280034, 'IS', '1\\1']], []],
  ['padding as US or SS', [[0x00280120, 'US', [0xffff]]], [[0x00280120, 'SS', [-1]]]],
])('the same content: %s', async (_, one, other) => {
  expect(await digestOf(made(one))).toEqual(await digestOf(made(other)));
});

test.each<[string, FixtureElement[]]>([
  [
    'another window',
    [
      [0x00281050, 'DS', '2047'],
      [0x00281051, 'DS', '4096'],
    ],
  ],
  ['a rescale', [[0x00281053, 'DS', '2']]],
  ['padding', [[0x00280120, 'US', [0]]]],
  ['a LUT shape that inverts', [[0x20500020, 'CS', 'INVERSE']]],
  ['turned', [[0x00200020, 'CS', 'R\\F']]],
  ['oblong pixels', [[0x00280034, 'IS', '1\\2']]],
])('another content: %s', async (_, more) => {
  const [one, other] = [await digestOf(made()), await digestOf(made(more))];
  expect(other.decoded).not.toBe(one.decoded);
  expect(other.encoded).not.toBe(one.encoded);
});

test('one pixel, or rows and columns changed over, is another content', async () => {
  const cells = [...CELLS];
  cells[3] = 4094;
  expect(await decodedOf(film(cells))).not.toBe(await decodedOf(made()));
  expect(await decodedOf(film(CELLS, { rows: 2, columns: 8 }))).not.toBe(await decodedOf(made()));
});

test('bits that an overlay claims do not count', async () => {
  const more = [12, 13, 14, 15].map((bit, index): FixtureElement => [0x60000102 + index * 0x20000, 'US', [bit]]);
  expect(
    await decodedOf(
      film(
        CELLS.map((cell) => cell | 0xf000),
        { more },
      ),
    ),
  ).toBe(await decodedOf(made()));
});

describe('compared', () => {
  const never = () => Promise.reject(new Error('decoded for nothing'));

  test('the same bytes are never decoded, whatever a decoder makes of them', async () => {
    expect(await isSameContent({ encoded: 'a', decoded: 'x' }, { encoded: 'a', decoded: never })).toBe(true);
  });

  test('other bytes are the same film where they decode to the same, and never where they can not be decoded', async () => {
    const now = (decoded: string | null) => ({ encoded: 'b', decoded: () => Promise.resolve(decoded) });
    expect(await isSameContent({ encoded: 'a', decoded: 'x' }, now('x'))).toBe(true);
    expect(await isSameContent({ encoded: 'a', decoded: 'x' }, now('y'))).toBe(false);
    expect(await isSameContent({ encoded: 'a', decoded: null }, now(null))).toBe(false);
  });
});
