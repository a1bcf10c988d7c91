import type { Attributes } from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { resultUids } from '../../src/objects/analysis';
import { buildSecondaryCapture } from '../../src/objects/secondary-capture';
import { validateObject } from '../../src/objects/validate';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, IDENTITY } from '../support/broker/outcomes';

/** An odd number of bytes: 3 x 5 x 3. */
const PICTURE = { rows: 3, columns: 5, rgb: Uint8Array.from({ length: 45 }, (_, i) => i * 5) };
const OUTLINES = [
  { of: 'lungs', bits: Uint8Array.of(0b10000001, 0b01000000) },
  { of: 'activation', bits: Uint8Array.of(0b00010000, 0) },
] as const;
const build = (source: Attributes) => buildSecondaryCapture(source, PICTURE, IDENTITY);

test('it lies in the study of the film, in a series of its own, and says where it comes from and that it is for research', () => {
  const uids = resultUids(parseUid(BARE_FILM.StudyInstanceUID), parseUid(BARE_FILM.SOPInstanceUID), IDENTITY).heatMap;
  expect(build(BARE_FILM)).toMatchObject({
    StudyInstanceUID: BARE_FILM.StudyInstanceUID,
    SeriesInstanceUID: uids.series,
    SOPInstanceUID: uids.instance,
    Modality: 'OT',
    ConversionType: 'WSD',
    ImageType: ['DERIVED', 'SECONDARY', 'OTHER'],
    BurnedInAnnotation: 'YES',
    SeriesDescription: expect.stringContaining('RESEARCH USE, NOT FOR DIAGNOSIS'),
    DerivationDescription: expect.stringContaining('covid-vgg19 1.0.0'),
    SourceImageSequence: [
      {
        ReferencedSOPClassUID: BARE_FILM.SOPClassUID,
        ReferencedSOPInstanceUID: BARE_FILM.SOPInstanceUID,
        PurposeOfReferenceCodeSequence: [{ CodeValue: '121322' }],
      },
    ],
    ContributingEquipmentSequence: [
      { PurposeOfReferenceCodeSequence: [{ CodeValue: '109102', CodingSchemeDesignator: 'DCM' }] },
    ],
  });
});

test("a lossy film makes a lossy picture, with the film's ratio and method; a lossless one says nothing", () => {
  const lossy = {
    ...BARE_FILM,
    LossyImageCompression: '01',
    LossyImageCompressionRatio: [10, 2.5],
    LossyImageCompressionMethod: ['ISO_15444_1', 'ISO_10918_1'],
  };
  expect(build(lossy)).toMatchObject({
    LossyImageCompression: '01',
    LossyImageCompressionRatio: ['10', '2.5'],
    LossyImageCompressionMethod: ['ISO_15444_1', 'ISO_10918_1'],
  });
  expect(build({ ...BARE_FILM, LossyImageCompression: '01' })).not.toHaveProperty('LossyImageCompressionRatio');
  expect(build({ ...BARE_FILM, LossyImageCompression: '00' })).not.toHaveProperty('LossyImageCompression');
});

test.each([
  [
    ['L', 'F'],
    ['L', 'F'],
  ],
  [['L', 'nonsense'], []],
  [null, []],
  ['L', []],
])('patient orientation %j becomes %j', (given, expected) => {
  expect(build({ ...BARE_FILM, PatientOrientation: given })).toMatchObject({ PatientOrientation: expected });
});

test('the time of the analysis follows the time zone of the film, as all times of an object do', () => {
  expect(build({ ...BARE_FILM, TimezoneOffsetFromUTC: '-0430' })).toMatchObject({
    ContentDate: '20260105',
    ContentTime: '095233.456',
    TimezoneOffsetFromUTC: '-0430',
  });
  expect(build({ ...BARE_FILM, TimezoneOffsetFromUTC: '+1000' })).toMatchObject({
    ContentDate: '20260106',
    ContentTime: '002233.456',
  });
  expect(build({ ...BARE_FILM, TimezoneOffsetFromUTC: 'noon' })).not.toHaveProperty('TimezoneOffsetFromUTC');
});

test('outlines are overlay planes of the size of the picture, each a group of its own; its pixels stay', () => {
  const bytes = writePart10(buildSecondaryCapture(BARE_FILM, { ...PICTURE, outlines: OUTLINES }, IDENTITY));
  expect(validateObject(bytes)).toEqual([]);
  const { attributes, pixelData } = readPart10(bytes);
  // By keyword the first group is read.
  expect(attributes).toMatchObject({
    OverlayRows: 3,
    OverlayColumns: 5,
    OverlayType: 'G',
    OverlayOrigin: [1, 1],
    OverlayBitPosition: [0, 0],
    OverlayLabel: 'Lungs',
    OverlayData: new Uint8Array(OUTLINES[0].bits),
  });
  expect(Buffer.from(pixelData!.fragments[0]!.subarray(0, 45))).toEqual(Buffer.from(PICTURE.rgb));
});

const word = (value: number) => Uint8Array.of(value & 0xff, value >> 8);

test.each([
  ['too few bits', 0x0010, word(4), 'OverlayData is longer or shorter than its rows and columns say'],
  ['an unknown type', 0x0040, Buffer.from('X '), 'OverlayType is neither G nor R'],
  ['a cell of the pixels', 0x0100, word(8), 'OverlayBitsAllocated is not 1'],
  ['a bit of the pixels', 0x0102, word(8), 'OverlayBitPosition is not 0'],
])('an overlay with %s is not sent', (_, number, wrong, problem) => {
  const bytes = writePart10(buildSecondaryCapture(BARE_FILM, { ...PICTURE, outlines: OUTLINES }, IDENTITY));
  // Explicit VR Little Endian: the tag, the VR, a length of 16 bits, the value.
  bytes.set(wrong, Buffer.from(bytes).indexOf(Buffer.from([...word(0x6002), ...word(number)])) + 8);
  expect(validateObject(bytes)).toEqual([`overlay group 6002: ${problem}`]);
});

test.each([
  ['too few bits for its outlines', { ...PICTURE, outlines: [{ of: 'lungs', bits: new Uint8Array(1) }] as const }],
  ['too few bytes', { ...PICTURE, rgb: new Uint8Array(44) }],
  ['no rows', { rows: 0, columns: 5, rgb: new Uint8Array(0) }],
  ['more columns than 16 bits', { rows: 1, columns: 65_536, rgb: new Uint8Array(196_608) }],
])('a picture with %s is refused', (_, picture) => {
  expect(() => buildSecondaryCapture(BARE_FILM, picture, IDENTITY)).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }),
  );
});
