import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HilumError } from '../../src/base/errors';
import { decodePixels, type GrayFilm } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { describeReal, DICOM_DIR, realFile, realFiles } from '../support/real-films';

const PYTHON = '/usr/bin/python3';
const REFERENCE = resolve(__dirname, '../support/pydicom_gray.py');

const CHEST_FILMS = [
  ['pydicom-data__RG1_J2KI.dcm', 1955, 1841],
  ['pylibjpeg-data__RG1_JLSN.dcm', 1955, 1841],
  ['dwv__gdcm-CR-MONO1-10-chest.dcm', 440, 440],
  ['torchxrayvision__1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm', 1024, 1024],
  ['AIHCND_C2_Starter__test1.dcm', 1024, 1024],
  ['AIHCND_C2_Starter__test3.dcm', 1024, 1024],
  ['pylibjpeg-data__966.dcm', 2128, 2000],
] as const;

/** Files on which pydicom is no reference, and why. */
const NO_REFERENCE: Readonly<Record<string, string>> = {
  'pylibjpeg-data__966.dcm': 'GDCM gives up without a word, and returns zeros or what was in its memory before',
  'fo-dicom__GH195.dcm': 'the header says RGB, the JPEG inside is YCbCr, and GDCM believes the header: wrong colours',
  'pydicom__SC_rgb_small_odd_big_endian.dcm': 'pydicom 2 does not swap the words of an 8-bit OW in big endian',
  'pydicom-data__SC_ybr_full_uncompressed.dcm': 'saturated test bars: RGB clips, and its luminance is not Y any more',
  'pydicom__SC_ybr_full_422_uncompressed.dcm': 'the same bars',
};

const decode = async (name: string) => decodePixels(readPart10(realFile(name)));
const mean = (film: GrayFilm, [top, bottom]: readonly [number, number], [left, right]: readonly [number, number]) => {
  let [sum, count] = [0, 0];
  for (let row = Math.round(top * film.rows); row < bottom * film.rows; row += 1) {
    for (let column = Math.round(left * film.columns); column < right * film.columns; column += 1, count += 1) sum += film.values[row * film.columns + column]!;
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

function floats(file: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
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
        expect({ name, low: low >= 0, high: high <= 1, varied: high > low }).toEqual({ name, low: true, high: true, varied: true });
        films += 1;
      } catch (error) {
        if (!(error instanceof HilumError)) throw error;
        expect({ name, code: error.code }).toEqual({ name, code: expect.stringMatching(/^(DICOM_UNREADABLE|PIXELS_UNDECODABLE)$/) });
      }
    }
    expect(films).toBeGreaterThanOrEqual(78);
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

describeAgreement('agreement with pydicom', () => {
  test('every film that both read: within one grey level in 255 at the 99th percentile', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hilum-agreement-'));
    const ours = new Map<string, Float32Array>();
    for (const name of realFiles().filter((one) => !(one in NO_REFERENCE))) {
      const image = await decode(name).catch(() => undefined);
      if (image) ours.set(name, image.values);
    }
    const names = [...ours.keys()];
    const { stdout } = spawnSync(PYTHON, [REFERENCE, ...names.flatMap((name, index) => [join(DICOM_DIR, name), join(folder, String(index))])], { encoding: 'utf8', maxBuffer: 1e8 });
    const verdicts = stdout.trim().split('\n').map((line) => JSON.parse(line) as { error?: string; constant?: boolean });
    expect(verdicts).toHaveLength(names.length);
    const compared = names.filter((_, index) => verdicts[index]!.error === undefined && !verdicts[index]!.constant);
    const worse = compared.filter((name) => shareBeyond(ours.get(name)!, floats(join(folder, String(names.indexOf(name)))), 1.001) > 0.01);
    rmSync(folder, { recursive: true });
    expect(worse).toEqual([]);
    expect(compared.length).toBeGreaterThanOrEqual(70);
    expect(CHEST_FILMS.map(([name]) => name as string).filter((name) => !compared.includes(name) && !(name in NO_REFERENCE))).toEqual([]);
  }, 180_000);
});
