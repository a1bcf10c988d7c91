import type { Attributes } from '../../src/dicom/attributes';
import { parseUid } from '../../src/dicom/uid';
import { resultUids } from '../../src/objects/analysis';
import { buildSegmentation, type LungContent } from '../../src/objects/segmentation';
import { BARE_FILM, IDENTITY, plane } from '../support/broker/outcomes';

/** An L in the upper left, so that turned, mirrored and transposed masks are told apart. */
const MASK = plane(8, 6, (x, y) => ((x < 0.4 && y < 0.8) || (x < 0.8 && y > 0.6 && y < 0.8) ? 1 : 0));
const content = (rows: number, columns: number, mask: LungContent['mask'] = MASK): LungContent => ({
  rows,
  columns,
  mask,
});
const build = (source: Attributes, lungs = content(300, 400)) => buildSegmentation(source, lungs, IDENTITY);

test('it lies in the study of the film, in a series of its own, refers to the film, and says who drew it and that it is for research', () => {
  const uids = resultUids(
    parseUid(BARE_FILM.StudyInstanceUID),
    parseUid(BARE_FILM.SOPInstanceUID),
    IDENTITY,
  ).segmentation;
  const film = { ReferencedSOPClassUID: BARE_FILM.SOPClassUID, ReferencedSOPInstanceUID: BARE_FILM.SOPInstanceUID };
  expect(build(BARE_FILM)).toMatchObject({
    StudyInstanceUID: BARE_FILM.StudyInstanceUID,
    SeriesInstanceUID: uids.series,
    SOPInstanceUID: uids.instance,
    Modality: 'SEG',
    SeriesDescription: 'Hilum lungs - RESEARCH USE, NOT FOR DIAGNOSIS',
    ContentQualification: 'RESEARCH',
    SegmentationType: 'BINARY',
    ReferencedSeriesSequence: [{ SeriesInstanceUID: BARE_FILM.SeriesInstanceUID, ReferencedInstanceSequence: [film] }],
    PerFrameFunctionalGroupsSequence: [
      {
        DerivationImageSequence: [
          { SourceImageSequence: [{ ...film, PurposeOfReferenceCodeSequence: [{ CodeValue: '121322' }] }] },
        ],
        SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
      },
    ],
    SegmentSequence: [
      {
        SegmentAlgorithmType: 'AUTOMATIC',
        SegmentedPropertyTypeCodeSequence: [
          { CodeValue: '39607008', SegmentedPropertyTypeModifierCodeSequence: [{ CodeMeaning: 'Right and left' }] },
        ],
        SegmentationAlgorithmIdentificationSequence: [
          {
            AlgorithmName: 'Lungs on a chest film (U-Net)',
            AlgorithmVersion: '1.0.0',
            AlgorithmParameters: expect.stringContaining('b'.repeat(64)),
          },
        ],
      },
    ],
  });
});

describe('the spacing', () => {
  const spacing = (change: Attributes) =>
    (build({ ...BARE_FILM, ...change }).SharedFunctionalGroupsSequence as [Attributes])[0].PixelMeasuresSequence;
  test.each([
    [
      'the calibrated one, where the film has it',
      { PixelSpacing: [0.2, 0.1], ImagerPixelSpacing: [0.3, 0.3] },
      ['0.2', '0.1'],
    ],
    ['that of the detector otherwise', { ImagerPixelSpacing: ['0.143', '0.143'] }, ['0.143', '0.143']],
    ['that of the scanner otherwise', { NominalScannedPixelSpacing: [0.1, 0.1] }, ['0.1', '0.1']],
    [
      'that of the detector where the calibrated one is none',
      { PixelSpacing: [0, 0], ImagerPixelSpacing: [0.3, 0.3] },
      ['0.3', '0.3'],
    ],
  ])('is %s', (_, change, expected) => expect(spacing(change)).toEqual([{ PixelSpacing: expected }]));
  test.each([
    ['nothing', {}],
    ['zero', { PixelSpacing: [0, 0] }],
    ['one value', { PixelSpacing: 0.1 }],
    ['words', { PixelSpacing: ['wide', 'high'] }],
    ['more than a number can hold', { PixelSpacing: [1e307, 1e307] }],
  ])('is away where the film states %s', (_, change) => {
    expect(spacing(change)).toEqual([{ PixelAspectRatio: ['1', '1'] }]);
  });
});

test('OHIF finds the groups that it fails without, whatever the film states', () => {
  for (const film of [BARE_FILM, { ...BARE_FILM, PixelSpacing: [0.2, 0.1] }]) {
    expect(build(film).SharedFunctionalGroupsSequence).toEqual([
      {
        PixelMeasuresSequence: [expect.anything()],
        PlaneOrientationSequence: [{ ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'] }],
      },
    ]);
  }
});

test('a lossy film makes a lossy segmentation, with ratio and method; any other says that it is none', () => {
  expect(build(BARE_FILM)).toMatchObject({ LossyImageCompression: '00' });
  const lossy = {
    ...BARE_FILM,
    LossyImageCompression: '01',
    LossyImageCompressionRatio: 12.5,
    LossyImageCompressionMethod: 'ISO_10918_1',
  };
  expect(build(lossy)).toMatchObject({
    LossyImageCompression: '01',
    LossyImageCompressionRatio: ['12.5'],
    LossyImageCompressionMethod: ['ISO_10918_1'],
  });
});

test.each<[string, LungContent]>([
  ['a mask of too few values', content(30, 40, { rows: 8, columns: 6, values: new Float32Array(47) })],
  ['an empty mask', content(30, 40, { rows: 0, columns: 6, values: [] })],
  ['a film without rows', content(0, 40)],
  ['a film of more columns than 16 bits count', content(30, 70_000)],
])('%s is refused', (_, lungs) => {
  expect(() => build(BARE_FILM, lungs)).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }),
  );
});

test('an analysis without a lung model is refused', () => {
  const identity = { ...IDENTITY, models: IDENTITY.models.filter(({ task }) => task !== 'lungs') };
  expect(() => buildSegmentation(BARE_FILM, content(30, 40), identity)).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED' }),
  );
});
