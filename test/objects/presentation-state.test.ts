import type { Attributes } from '../../src/dicom/attributes';
import type { Dataset } from '../../src/dicom/dataset';
import { parseUid } from '../../src/dicom/uid';
import { resultUids } from '../../src/objects/analysis';
import { buildPresentationState, type PresentationContent } from '../../src/objects/presentation-state';
import { validateObject } from '../../src/objects/validate';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, ellipse, IDENTITY } from '../support/broker/outcomes';

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

test.each<[string, Attributes, [string, string]]>([
  ['no word on it', {}, ['1', '1']],
  ['square pixels', { PixelSpacing: [0.143, 0.143] }, ['1', '1']],
  ['pixels higher than wide', { ImagerPixelSpacing: [0.2, 0.15] }, ['4', '3']],
  ['a spacing of zero, and an aspect ratio', { PixelSpacing: [0, 0], PixelAspectRatio: [3, 2] }, ['3', '2']],
  ['a spacing that cannot be', { PixelSpacing: [1e-9, 1], ImagerPixelSpacing: [1e9, 1] }, ['1', '1']],
  ['a spacing with a long fraction', { PixelSpacing: [1.2, 1.20119999999999] }, ['1000', '1001']],
])('a film with %s is shown in its proportions', (_, header, ratio) => {
  expect(build({ ...FILM, ...header }).DisplayedAreaSelectionSequence).toEqual([
    {
      DisplayedAreaTopLeftHandCorner: [1, 1],
      DisplayedAreaBottomRightHandCorner: [COLUMNS, ROWS],
      PresentationSizeMode: 'SCALE TO FIT',
      PresentationPixelAspectRatio: ratio,
    },
  ]);
});

test.each<[string, Attributes]>([
  ['half a vertex', { ShutterShape: 'POLYGONAL', VerticesOfThePolygonalShutter: [1, 1, 9, 1, 9, 9, 5] }],
  [
    'a centre of three numbers',
    { ShutterShape: 'CIRCULAR', CenterOfCircularShutter: [1, 2, 3], RadiusOfCircularShutter: 4 },
  ],
])('a shutter with %s is left out, and the film keeps its result', (_, shutter) => {
  const built = build({ ...FILM, ...shutter });
  expect(built).not.toHaveProperty('ShutterShape');
  expect(validateObject(writePart10(built))).toEqual([]);
});

test('it lies in the study of the film, in a series of its own, and refers to the film alone', () => {
  const uids = resultUids(parseUid(FILM.StudyInstanceUID), parseUid(FILM.SOPInstanceUID), IDENTITY).presentationState;
  expect(build(FILM)).toMatchObject({
    StudyInstanceUID: FILM.StudyInstanceUID,
    SeriesInstanceUID: uids.series,
    SOPInstanceUID: uids.instance,
    Modality: 'PR',
    SeriesDescription: expect.stringContaining('RESEARCH USE, NOT FOR DIAGNOSIS'),
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: FILM.SeriesInstanceUID,
        ReferencedImageSequence: [
          { ReferencedSOPClassUID: FILM.SOPClassUID, ReferencedSOPInstanceUID: FILM.SOPInstanceUID },
        ],
      },
    ],
  });
});

test.each([
  ['RGB', 3],
  ['PALETTE COLOR', 1],
  ['YBR_FULL_422', 3],
  [undefined, 1],
  ['MONOCHROME2', 3],
])('a film in %s with %d samples gets none: the IOD is for grayscale', (PhotometricInterpretation, SamplesPerPixel) => {
  expect(buildPresentationState({ ...FILM, PhotometricInterpretation, SamplesPerPixel }, CONTENT, IDENTITY)).toBeNull();
});
