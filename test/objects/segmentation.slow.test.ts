import type { Attributes } from '../../src/dicom/attributes';
import { buildSegmentation, type LungContent } from '../../src/objects/segmentation';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, IDENTITY, plane, sourceKinds } from '../support/broker/outcomes';
import { dciodvfy, dcmdump, pydicom, pydicomPixels } from '../support/servers/judges';

/** An L in the upper left, so that turned, mirrored and transposed masks are told apart. */
const MASK = plane(8, 6, (x, y) => ((x < 0.4 && y < 0.8) || (x < 0.8 && y > 0.6 && y < 0.8) ? 1 : 0));
const content = (rows: number, columns: number, mask: LungContent['mask'] = MASK): LungContent => ({
  rows,
  columns,
  mask,
});
const build = (source: Attributes, lungs = content(300, 400)) => buildSegmentation(source, lungs, IDENTITY);

test.each(sourceKinds())('judges find no error: %s', (_, source) => {
  const lungs = content(Number(source.Rows), Number(source.Columns));
  const bytes = writePart10(build(source, lungs));
  expect(dciodvfy(bytes, source).errors).toEqual([]);
  expect(dcmdump(bytes)).toMatchObject({ status: 0, errors: [], warnings: [] });
  expect(pydicom(bytes)).toMatchObject({ Modality: 'SEG', SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4' });
});

describe('the pixels, as pydicom reads them', () => {
  test('on the grid of the mask are the mask, bit by bit', () => {
    expect(pydicomPixels(writePart10(build(BARE_FILM, content(8, 6))))).toEqual(MASK);
  });

  test.each([
    [80, 60],
    [7, 11],
    [301, 399],
    [5, 3],
  ])(
    'on a film of %d x %d have the value of the mask at their centre, though rows end inside a byte',
    (rows, columns) => {
      const expected = plane(
        rows,
        columns,
        (x, y) => MASK.values[Math.floor(y * MASK.rows) * MASK.columns + Math.floor(x * MASK.columns)]!,
      );
      expect(pydicomPixels(writePart10(build(BARE_FILM, content(rows, columns))))).toEqual(expected);
    },
  );

  test('an empty mask and a full one stay so', () => {
    for (const value of [0, 1])
      expect(
        new Set(
          pydicomPixels(
            writePart10(
              build(
                BARE_FILM,
                content(
                  9,
                  9,
                  plane(4, 4, () => value),
                ),
              ),
            ),
          ).values,
        ),
      ).toEqual(new Set([value]));
  });
});

test('no Frame of Reference, no place in the patient and no spacing is made up', () => {
  expect(dcmdump(writePart10(build(BARE_FILM))).text).not.toMatch(/FrameOfReferenceUID|PlanePosition|PixelSpacing/);
});

test('dciodvfy does find fault: a segmentation of no type', () => {
  expect(dciodvfy(writePart10({ ...build(BARE_FILM), SegmentationType: 'MAYBE' })).errors).not.toEqual([]);
});
