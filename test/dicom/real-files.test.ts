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

describeReal('real files', () => {
  test('each is a film, or ends in an error with a code', async () => {
    let films = 0;
    for (const name of realFiles()) {
      try {
        const { rows, columns, values } = await decode(name);
        expect(values).toHaveLength(rows * columns);
        const [low, high] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [1, 0]);
        expect({ name, low: low >= 0, high: high <= 1, varied: high > low }).toEqual({ name, low: true, high: true, varied: true });
        films += 1;
      } catch (error) {
        if (!(error instanceof HilumError)) throw error;
        expect({ name, code: error.code }).toEqual({ name, code: expect.stringMatching(/^(DICOM_UNREADABLE|PIXELS_UNDECODABLE)$/) });
      }
    }
    expect(films).toBeGreaterThanOrEqual(80);
  });

  test.each(CHEST_FILMS)('%s: lungs darker than the mediastinum', async (name, rows, columns) => {
    const image = await decode(name);
    expect([image.rows, image.columns]).toEqual([rows, columns]);
    const spine = mean(image, [0.4, 0.6], [0.46, 0.54]);
    expect(mean(image, [0.35, 0.5], [0.2, 0.32])).toBeLessThan(spine);
  });

  test('the same film by JPEG 2000 and by JPEG-LS is the same film', async () => {
    const [one, other] = [await decode('pydicom-data__RG1_J2KI.dcm'), await decode('pylibjpeg-data__RG1_JLSN.dcm')];
    const differences = one.values.map((value, index) => Math.abs(value - other.values[index]!)).sort();
    expect(differences[Math.floor(0.99 * differences.length)]! * 255).toBeLessThan(1);
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
  /** 99th percentile of the difference, in grey levels of 255. */
  function difference(ours: Float32Array, theirs: Float32Array): number {
    const sorted = ours.map((value, index) => Math.abs(value - theirs[index]!) * 255).sort();
    return sorted[Math.floor(0.99 * (sorted.length - 1))]!;
  }

  test('every film that both read: within one grey level in 255 at the 99th percentile', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hilum-agreement-'));
    const names = realFiles().filter((name) => !(name in NO_REFERENCE));
    const { stdout } = spawnSync(PYTHON, [REFERENCE, ...names.flatMap((name, index) => [join(DICOM_DIR, name), join(folder, String(index))])], { encoding: 'utf8', maxBuffer: 1e8 });
    const verdicts = stdout.trim().split('\n').map((line) => JSON.parse(line) as { error?: string; constant?: boolean });
    expect(verdicts).toHaveLength(names.length);
    const worst: Record<string, number> = {};
    for (const [index, name] of names.entries()) {
      if (verdicts[index]!.error !== undefined || verdicts[index]!.constant) continue;
      const ours = await decode(name).catch(() => undefined);
      if (!ours) continue;
      const bytes = readFileSync(join(folder, String(index)));
      worst[name] = difference(ours.values, new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
    }
    rmSync(folder, { recursive: true });
    expect(Object.entries(worst).filter(([, most]) => !(most <= 1.001))).toEqual([]);
    expect(Object.keys(worst).length).toBeGreaterThanOrEqual(75);
    // All but the one that GDCM silently turns into zeros.
    expect(CHEST_FILMS.map(([name]) => name).filter((name) => !(name in worst))).toEqual(['pylibjpeg-data__966.dcm']);
  }, 180_000);
});
