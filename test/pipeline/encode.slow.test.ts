import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { type AnalysisIdentity, encode, resultUids } from '../../src/pipeline/encode';
import { analysed, BARE_FILM, IDENTITY, notAnalysed, realFilms } from '../support/broker/outcomes';
import { dcentvfy, dciodvfy, pydicom, pydicomPixels } from '../support/servers/judges';

const FILM = parseUid(BARE_FILM.SOPInstanceUID);
const STUDY = parseUid(BARE_FILM.StudyInstanceUID);

test('an analysed film gives its heat map and then, last, its report, under the UIDs that were known before', () => {
  const objects = encode(analysed(BARE_FILM), IDENTITY);
  const { heatMap, report } = resultUids(STUDY, FILM, IDENTITY);
  expect(
    objects.map(({ sopClassUid, seriesInstanceUid, sopInstanceUid }) => [
      sopClassUid,
      seriesInstanceUid,
      sopInstanceUid,
    ]),
  ).toEqual([
    ['1.2.840.10008.5.1.4.1.1.7', heatMap.series, heatMap.instance],
    ['1.2.840.10008.5.1.4.1.1.88.34', report.series, report.instance],
  ]);
  for (const { bytes, sopInstanceUid } of objects)
    expect(readPart10(bytes)).toMatchObject({
      sopInstanceUid,
      attributes: { StudyInstanceUID: BARE_FILM.StudyInstanceUID },
    });
  for (const { bytes } of objects) expect(dciodvfy(bytes).errors).toEqual([]);
});
const ALL: AnalysisIdentity = {
  ...IDENTITY,
  objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
};

test('the segmentation has the size of the film and the lungs of the analysis, the map the values of the heat map', () => {
  const outcome = analysed(BARE_FILM, { rows: 448, columns: 224 });
  const [, segmentation, map] = encode(outcome, ALL).map(({ bytes }) => bytes);
  const { inferred } = outcome.explained;
  const { heat } = outcome.explained.findings[0]!;
  const { rows, columns, values } = pydicomPixels(segmentation!);
  expect([rows, columns]).toEqual([448, 224]);
  expect(values.filter((_value, at) => Math.floor(at / columns) % 2 === 0)).toEqual(inferred.lungs.mask.values);
  expect(pydicomPixels(map!)).toEqual(heat);
});

const films = realFilms();
if (films.length > 0) {
  test.each(films)('%s: all objects are valid and keep the patient', (_, attributes) => {
    for (const { bytes } of encode(analysed(attributes), ALL)) {
      expect(dciodvfy(bytes, attributes).errors).toEqual([]);
      expect(pydicom(bytes).PatientID).toBe(
        typeof attributes.PatientID === 'string' ? attributes.PatientID.trim() : '',
      );
    }
    expect(dcentvfy(encode(analysed(attributes), ALL).map(({ bytes }) => bytes))).toMatchObject({
      status: 0,
      errors: [],
    });
  });
}

test('hostile texts in the header come to nothing worse than an empty or shorter value', () => {
  // Long in ASCII only: PS3.5 section 6.2 counts characters, dciodvfy bytes.
  const noise = `\u0000\u001b[31m"'\\<script>${'x'.repeat(400)}ü\n`;
  const texts = [
    'PatientName',
    'PatientBirthDate',
    'PatientSex',
    'PatientAge',
    'PatientWeight',
    'StudyDate',
    'StudyTime',
    'StudyID',
    'AccessionNumber',
    'ReferringPhysicianName',
    'StudyDescription',
    'InstitutionName',
    'IssuerOfPatientID',
    'TimezoneOffsetFromUTC',
    'LossyImageCompression',
    'LossyImageCompressionRatio',
    'PatientOrientation',
    'PixelSpacing',
    'ImagerPixelSpacing',
  ];
  const hostile = {
    ...BARE_FILM,
    ...Object.fromEntries(texts.map((keyword) => [keyword, noise])),
    Modality: noise,
    LossyImageCompressionMethod: [noise, 7],
    IssuerOfAccessionNumberSequence: [noise],
  };
  for (const { bytes } of [...encode(analysed(hostile), ALL), ...encode(notAnalysed(hostile), IDENTITY)]) {
    expect(dciodvfy(bytes, hostile).errors).toEqual([]);
    expect(pydicom(bytes).SpecificCharacterSet).toBe('ISO_IR 192');
  }
});
