import { spawnSync } from 'node:child_process';
import { HilumError } from '../../src/base/errors';
import { decodePixels, type GrayFilm } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { compare, type Compared, LIMIT, NO_REFERENCE, PYTHON } from '../support/films/agreement';
import { oddFilms } from '../support/films/odd-films';
import { generatedFilms } from '../support/films/generated-films';
import { describeReal, realFile, realFiles } from '../support/films/real-films';

const CHEST_FILMS = [
  ['pydicom-data__RG1_J2KI.dcm', 1955, 1841],
  ['pylibjpeg-data__RG1_JLSN.dcm', 1955, 1841],
  ['dwv__gdcm-CR-MONO1-10-chest.dcm', 440, 440],
  ['torchxrayvision__1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm', 1024, 1024],
  ['AIHCND_C2_Starter__test1.dcm', 1024, 1024],
  ['AIHCND_C2_Starter__test3.dcm', 1024, 1024],
  ['pylibjpeg-data__966.dcm', 2128, 2000],
] as const;

const decode = async (name: string) => decodePixels(readPart10(realFile(name)));
const mean = (film: GrayFilm, [top, bottom]: readonly [number, number], [left, right]: readonly [number, number]) => {
  let [sum, count] = [0, 0];
  for (let row = Math.round(top * film.rows); row < bottom * film.rows; row += 1) {
    for (let column = Math.round(left * film.columns); column < right * film.columns; column += 1, count += 1)
      sum += film.values[row * film.columns + column]!;
  }
  return sum / count;
};

/** Share of the pixels that differ by more than this, in grey levels of 255. */
function shareBeyond(one: Float32Array, other: Float32Array, limit: number): number {
  expect(one).toHaveLength(other.length);
  let count = 0;
  for (let index = 0; index < one.length; index += 1) {
    const difference = (one[index]! - other[index]!) * 255;
    if (!(difference <= limit && difference >= -limit)) count += 1;
  }
  return count / one.length;
}

describeReal('real files', () => {
  test('each is a film, or ends in an error with a code', async () => {
    let films = 0;
    for (const name of realFiles()) {
      try {
        const { rows, columns, values } = await decode(name);
        expect(values).toHaveLength(rows * columns);
        let low = 1;
        let high = 0;
        for (let index = 0; index < values.length; index += 1) {
          // No Math.min: looking up a global costs more than all else in here inside jest.
          const value = values[index]!;
          if (value < low) low = value;
          if (value > high) high = value;
        }
        expect({ name, low: low >= 0, high: high <= 1, varied: high > low }).toEqual({
          name,
          low: true,
          high: true,
          varied: true,
        });
        films += 1;
      } catch (error) {
        if (!(error instanceof HilumError)) throw error;
        expect({ name, code: error.code }).toEqual({
          name,
          code: expect.stringMatching(/^(DICOM_UNREADABLE|PIXELS_UNDECODABLE)$/),
        });
      }
    }
    expect(films).toBeGreaterThanOrEqual(82);
  });

  test.each(CHEST_FILMS)('%s: lungs darker than the mediastinum', async (name, rows, columns) => {
    const image = await decode(name);
    expect([image.rows, image.columns]).toEqual([rows, columns]);
    const spine = mean(image, [0.4, 0.6], [0.46, 0.54]);
    expect(mean(image, [0.35, 0.5], [0.2, 0.32])).toBeLessThan(spine);
  });

  test('the same film by JPEG 2000 and by JPEG-LS is the same film', async () => {
    const [one, other] = [await decode('pydicom-data__RG1_J2KI.dcm'), await decode('pylibjpeg-data__RG1_JLSN.dcm')];
    // Both are lossy, each in its own way.
    expect(shareBeyond(one.values, other.values, 2)).toBeLessThan(0.01);
  });

  test('Japanese names keep their characters', () => {
    for (const name of ['pydicom__chrJapMulti.dcm', 'pydicom__chrJapMultiExplicitIR6.dcm']) {
      expect(JSON.stringify(readPart10(realFile(name)).attributes.PatientName)).toMatch(/[一-龯]|[ぁ-ん]/);
    }
  });
});

const havePydicom = spawnSync(PYTHON, ['-c', 'import pydicom, gdcm']).status === 0;
if (!havePydicom) console.warn('agreement with pydicom is not tested: apt-get install python3-pydicom python3-gdcm');
const describeAgreement = havePydicom ? describeReal : describe.skip;

const unreadByThem = (film: Compared) => film.unread.theirs !== undefined && film.unread.ours === undefined;

describeAgreement('agreement with pydicom', () => {
  test('every film that both read: within one grey level in 255 at the 99th percentile', async () => {
    const films = await compare(
      realFiles().map((name) => ({ name, bytes: realFile(name) })),
      async (bytes) => decodePixels(readPart10(bytes)),
    );
    expect(films.filter(({ p99 }) => p99 !== null && p99 > LIMIT)).toEqual([]);
    const agreed = films.filter(({ p99 }) => p99 !== null).map(({ name }) => name);
    expect(agreed.length).toBeGreaterThanOrEqual(74);
    expect(
      CHEST_FILMS.map(([name]) => name as string).filter((name) => !agreed.includes(name) && !(name in NO_REFERENCE)),
    ).toEqual([]);
    expect(
      films
        .filter(unreadByThem)
        .map(({ name }) => name)
        .filter((name) => !(name in NO_REFERENCE)).length,
    ).toBeLessThanOrEqual(4);
  }, 240_000);
});

const describeGenerated = havePydicom ? describe : describe.skip;
describeGenerated('agreement on generated films', () => {
  test('every transfer syntax, bit depth and way to grey: within 1 of 255 levels at the 99th percentile', async () => {
    const films = await compare(await generatedFilms(), async (bytes) => decodePixels(readPart10(bytes)));
    expect(films.filter(({ p99 }) => p99 === null || p99 > LIMIT)).toEqual([]);
    expect(films.length).toBeGreaterThanOrEqual(60);
  }, 120_000);

  test('a reader that is a little off is found out', async () => {
    const films = (await generatedFilms()).slice(0, 2);
    const compared = await compare(films, async (bytes) => {
      const { rows, columns, values } = await decodePixels(readPart10(bytes));
      return { rows, columns, values: values.map((value, index) => value + (index % 50 === 0 ? 0.01 : 0)) };
    });
    expect(compared.map(({ p99 }) => p99! > LIMIT)).toEqual([true, true]);
  });

  test('films that break the encoding rules: read, and within 1 of 255 levels of pydicom where it reads them', async () => {
    const films = await compare(oddFilms(), async (bytes) => decodePixels(readPart10(bytes)));
    expect(films.filter(({ p99, unread }) => unread.ours !== undefined || (p99 !== null && p99 > LIMIT))).toEqual([]);
    expect(films.filter(({ p99 }) => p99 !== null).length).toBeGreaterThanOrEqual(20);
  }, 120_000);
});
