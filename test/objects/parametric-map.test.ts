import type { Attributes } from '../../src/dicom/attributes';
import { parseUid } from '../../src/dicom/uid';
import { resultUids } from '../../src/objects/analysis';
import { buildParametricMap } from '../../src/objects/parametric-map';
import { BARE_FILM, IDENTITY, plane } from '../support/broker/outcomes';

const HEAT = plane(20, 25, (x, y) => x * y ** 3);
const build = (source: Attributes) => buildParametricMap(source, HEAT, IDENTITY);
const shared = (dataset: Attributes) => (dataset.SharedFunctionalGroupsSequence as [Attributes])[0];

test('it says what the values are: Grad-CAM without a unit, 0 to 1, as they stand', () => {
  expect(shared(build(BARE_FILM))).toMatchObject({
    RealWorldValueMappingSequence: [
      {
        RealWorldValueIntercept: 0,
        RealWorldValueSlope: 1,
        DoubleFloatRealWorldValueFirstValueMapped: 0,
        DoubleFloatRealWorldValueLastValueMapped: 1,
        MeasurementUnitsCodeSequence: [{ CodeValue: '1', CodingSchemeDesignator: 'UCUM' }],
        QuantityDefinitionSequence: [
          {
            ConceptCodeSequence: [
              { CodeValue: '130403', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Gradient-weighted class activation' },
            ],
          },
        ],
      },
    ],
  });
});

test('it lies in the study of the film, in a series of its own, refers to the film, and says that it is for research', () => {
  const uids = resultUids(
    parseUid(BARE_FILM.StudyInstanceUID),
    parseUid(BARE_FILM.SOPInstanceUID),
    IDENTITY,
  ).parametricMap;
  const film = { ReferencedSOPClassUID: BARE_FILM.SOPClassUID, ReferencedSOPInstanceUID: BARE_FILM.SOPInstanceUID };
  expect(build(BARE_FILM)).toMatchObject({
    StudyInstanceUID: BARE_FILM.StudyInstanceUID,
    SeriesInstanceUID: uids.series,
    SOPInstanceUID: uids.instance,
    SeriesDescription: 'Hilum activation map - RESEARCH USE, NOT FOR DIAGNOSIS',
    ContentQualification: 'RESEARCH',
    BurnedInAnnotation: 'NO',
    ReferencedSeriesSequence: [{ SeriesInstanceUID: BARE_FILM.SeriesInstanceUID, ReferencedInstanceSequence: [film] }],
    PerFrameFunctionalGroupsSequence: [
      {
        DerivationImageSequence: [
          {
            DerivationDescription: expect.stringContaining('covid-vgg19 1.0.0'),
            SourceImageSequence: [{ ...film, PurposeOfReferenceCodeSequence: [{ CodeValue: '121322' }] }],
          },
        ],
      },
    ],
  });
});

test('its samples cover the ground of the film: 300 x 400 pixels of 0.2 x 0.1 mm are 20 x 25 samples of 3 x 1.6 mm', () => {
  expect(shared(build({ ...BARE_FILM, PixelSpacing: [0.2, 0.1] })).PixelMeasuresSequence).toEqual([
    { PixelSpacing: ['3', '1.6'] },
  ]);
  expect(shared(build(BARE_FILM)).PixelMeasuresSequence).toEqual([{}]);
});

describe('the plane in a frame of reference of its own', () => {
  const orientation = (PatientOrientation: unknown) =>
    (
      (shared(build({ ...BARE_FILM, PatientOrientation })).PlaneOrientationSequence as [Attributes])[0]
        .ImageOrientationPatient as string[]
    ).join(' ');
  test.each([
    [['L', 'F'], '1 0 0 0 0 -1'],
    [['R', 'F'], '-1 0 0 0 0 -1'],
    [['F', 'R'], '0 0 -1 -1 0 0'],
    [['LF', 'FR'], '1 0 0 0 0 -1'],
    [['L', 'R'], '1 0 0 0 0 -1'],
    [null, '1 0 0 0 0 -1'],
  ])('patient orientation %j: %s', (given, expected) => expect(orientation(given)).toBe(expected));

  test('is shared with no other film', () => {
    expect(build(BARE_FILM).FrameOfReferenceUID).toBe(build(BARE_FILM).FrameOfReferenceUID);
    expect(build({ ...BARE_FILM, SOPInstanceUID: '1.2.3' }).FrameOfReferenceUID).not.toBe(
      build(BARE_FILM).FrameOfReferenceUID,
    );
  });
});

test('a lossy film makes a lossy map', () => {
  expect(build(BARE_FILM)).toMatchObject({ LossyImageCompression: '00' });
  expect(build({ ...BARE_FILM, LossyImageCompression: '01', LossyImageCompressionRatio: 9 })).toMatchObject({
    LossyImageCompression: '01',
    LossyImageCompressionRatio: ['9'],
  });
});

test.each([
  ['NaN', [0, NaN]],
  ['more than 1', [0, 1.01]],
  ['less than 0', [0, -0.01]],
  ['too few values', [0]],
])('a map with %s is refused', (_, values) => {
  expect(() => buildParametricMap(BARE_FILM, { rows: 1, columns: 2, values }, IDENTITY)).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }),
  );
});
