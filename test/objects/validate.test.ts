import type { Attributes } from '../../src/dicom/attributes';
import type { Dataset } from '../../src/dicom/dataset';
import { buildPresentationState } from '../../src/objects/presentation-state';
import { buildSecondaryCapture } from '../../src/objects/secondary-capture';
import { buildStructuredReport, type ReportContent } from '../../src/objects/structured-report';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { validateObject } from '../../src/objects/validate';
import { writePart10 } from '../../src/objects/write';
import { encode } from '../../src/pipeline/encode';
import { analysed, BARE_FILM, ellipse, IDENTITY, notAnalysed, realFilms } from '../support/broker/outcomes';
import { PARAMETRIC_MAP, SEGMENTATION } from '../support/films/pixel-objects';
import { covid } from '../support/records/finding';

const FILM: Attributes = {
  ...BARE_FILM,
  PhotometricInterpretation: 'MONOCHROME2',
  SamplesPerPixel: 1,
  WindowCenter: 100,
  WindowWidth: 50,
  RescaleSlope: 2,
  RescaleIntercept: -5,
  StudyDescription: 'Thorax',
  PatientName: 'Müller^Jürgen',
};
const ANALYSED: ReportContent = {
  outcome: 'analysed',
  view: 'frontal',
  findings: [{ finding: covid(0.97), region: ellipse(200, 150, 40, 30) }],
  lungFraction: 0.3,
  objects: ['heatMap'],
};
const NOT_ANALYSED: ReportContent = {
  outcome: 'not-analysed',
  reason: 'lateral-view',
  reasonText: 'The film looks like a lateral view.',
  view: 'lateral',
  lungFraction: null,
};

const kinds = [
  'capture',
  'report',
  'plain report',
  'report on a film not analysed',
  'state',
  'segmentation',
  'map',
] as const;
type Kind = (typeof kinds)[number];
const OBJECTS: Readonly<Record<Kind, (source: Attributes) => Dataset>> = {
  capture: (source: Attributes) =>
    buildSecondaryCapture(source, { rows: 3, columns: 5, rgb: new Uint8Array(45) }, IDENTITY),
  report: (source: Attributes) => buildStructuredReport(source, ANALYSED, IDENTITY),
  'plain report': (source: Attributes) =>
    buildStructuredReport(source, ANALYSED, { ...IDENTITY, srClass: 'comprehensive' }),
  'report on a film not analysed': (source: Attributes) => buildStructuredReport(source, NOT_ANALYSED, IDENTITY),
  state: (source: Attributes) =>
    buildPresentationState(
      source,
      { lungOutlines: [ellipse(3, 3, 1, 1)], hotRegions: [ellipse(3, 3, 0.5, 0.5)] },
      IDENTITY,
    )!,
  segmentation: () => SEGMENTATION,
  map: () => PARAMETRIC_MAP,
};

test.each(kinds)('nothing is wrong with a %s', (kind) => {
  expect(validateObject(writePart10(OBJECTS[kind](FILM)))).toEqual([]);
  expect(
    validateObject(
      writePart10(
        OBJECTS[kind](kind === 'state' ? { ...BARE_FILM, PhotometricInterpretation: 'MONOCHROME1' } : BARE_FILM),
      ),
    ),
  ).toEqual([]);
});

const films = realFilms();
if (films.length > 0) {
  test.each(films)('nothing is wrong with what is made from a %s', (_, source) => {
    for (const kind of kinds) expect(validateObject(writePart10(OBJECTS[kind](source)))).toEqual([]);
  });
}

/** A copy in which what is at the path is something else; undefined takes it out. */
function changed(dataset: Dataset, path: string, value: unknown): Dataset {
  const [key, ...rest] = path.split('.') as [string, ...string[]];
  const [, keyword, index] = /^(\w+?)(?:\[(\d+)\])?$/.exec(key)!;
  const copy = { ...dataset };
  const items = copy[keyword!] as Dataset[];
  if (index !== undefined)
    copy[keyword!] = items.map((item, i) => (i === Number(index) ? changed(item, rest.join('.'), value) : item));
  else if (value === undefined) Reflect.deleteProperty(copy, keyword!);
  else copy[keyword!] = value;
  return copy;
}

const EVIDENCE =
  'CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID';
const GROUP = 'ContentSequence[9].ContentSequence[0]';
const DRAWN = 'GraphicAnnotationSequence[0].GraphicObjectSequence[0]';

describe('one thing wrong is found', () => {
  test.each<[kind: Kind, path: string, value: unknown, problem: string]>([
    // modules
    ['capture', 'ConversionType', undefined, 'ConversionType is missing'],
    ['capture', 'ConversionType', '', 'ConversionType is empty'],
    ['capture', 'ConversionType', 'XYZ', 'ConversionType has a value that is not allowed'],
    ['capture', 'PatientID', undefined, 'PatientID is missing'],
    ['capture', 'AccessionNumber', undefined, 'AccessionNumber is missing'],
    ['capture', 'PatientSex', 'X', 'PatientSex has a value that is not allowed'],
    ['capture', 'Modality', 'CR', 'Modality has a value that is not allowed'],
    ['capture', 'SOPClassUID', '1.2.840.10008.5.1.4.1.1.2', 'SOPClassUID is none that Hilum writes'],
    [
      'capture',
      'SourceImageSequence[0].ReferencedSOPClassUID',
      undefined,
      'SourceImageSequence[0].ReferencedSOPClassUID is missing',
    ],
    [
      'capture',
      'SourceImageSequence[0].PurposeOfReferenceCodeSequence[0].CodeValue',
      undefined,
      'CodeValue has to be there once',
    ],
    [
      'capture',
      'SourceImageSequence[0].PurposeOfReferenceCodeSequence[0].CodingSchemeDesignator',
      undefined,
      'CodingSchemeDesignator is missing',
    ],
    [
      'capture',
      'ContributingEquipmentSequence[0].PurposeOfReferenceCodeSequence[0].CodeMeaning',
      '',
      'CodeMeaning is empty',
    ],
    ['state', 'DisplayedAreaSelectionSequence', [], 'DisplayedAreaSelectionSequence is empty'],
    // values
    ['capture', 'StudyDate', '2004-1-1', 'StudyDate has a value that is no DA'],
    ['capture', 'StudyTime', '2560', 'StudyTime has a value that is no TM'],
    ['capture', 'BurnedInAnnotation', 'yes', 'BurnedInAnnotation has a value that is no CS'],
    ['capture', 'InstanceNumber', '1.5', 'InstanceNumber has a value that is no IS'],
    ['capture', 'PatientName', 'A^B^C^D^E^F', 'PatientName has a value that is no PN'],
    ['capture', 'StudyDescription', 'line\nbreak', 'StudyDescription has a value that is no LO'],
    [
      'capture',
      'Manufacturer',
      ['Hilum', 'Other'],
      'Manufacturer has a number of values that the dictionary does not allow',
    ],
    [
      'report',
      `${GROUP}.ContentSequence[13].MeasuredValueSequence[0].NumericValue`,
      'many',
      'NumericValue has a value that is no DS',
    ],
    [
      'state',
      'DisplayedAreaSelectionSequence[0].DisplayedAreaTopLeftHandCorner',
      [1],
      'has a number of values that the dictionary does not allow',
    ],
    // pixels
    ['capture', 'Rows', 4, 'PixelData is longer or shorter than the header says'],
    ['capture', 'PixelData', undefined, 'PixelData is missing'],
    ['capture', 'HighBit', 6, 'HighBit is not one less than BitsStored'],
    ['capture', 'PlanarConfiguration', undefined, 'PlanarConfiguration is missing'],
    ['capture', 'PhotometricInterpretation', 'MONOCHROME2', 'PhotometricInterpretation does not fit SamplesPerPixel'],
    ['segmentation', 'Columns', 80, 'PixelData is longer or shorter than the header says'],
    ['map', 'FloatPixelData', [new ArrayBuffer(60)], 'PixelData is longer or shorter than the header says'],
    [
      'map',
      'FloatPixelData',
      [Float32Array.from({ length: 16 }, () => NaN).buffer],
      'FloatPixelData holds what is no number',
    ],
    // documents
    ['report', 'VerificationFlag', 'VERIFIED', 'VerificationFlag has a value that is not allowed'],
    ['report', 'ContentQualification', undefined, 'ContentQualification is missing'],
    ['report', 'ValueType', 'TEXT', 'ValueType of the document is not CONTAINER'],
    ['report', EVIDENCE, '1.2.3', 'ReferencedSOPSequence is not in the evidence'],
    ['plain report', EVIDENCE, '1.2.3', 'ReferencedSOPSequence is not in the evidence'],
    [
      'report',
      `${GROUP}.RelationshipType`,
      'HAS CONCEPT MOD',
      'ContentSequence[9].ContentSequence[0].RelationshipType does not allow this child of its parent',
    ],
    [
      'report',
      `${GROUP}.ContentSequence[0].RelationshipType`,
      'SELECTED FROM',
      'RelationshipType does not allow this child of its parent',
    ],
    [
      'report',
      `${GROUP}.ContentSequence[0].RelationshipType`,
      undefined,
      'RelationshipType does not allow this child of its parent',
    ],
    ['report', `${GROUP}.ContentSequence[0].TextValue`, undefined, 'TextValue is missing'],
    ['report', `${GROUP}.ContentSequence[0].ValueType`, 'WORDS', 'ValueType is none that Hilum writes'],
    ['report', `${GROUP}.ContentSequence[2].ConceptNameCodeSequence`, [], 'ConceptNameCodeSequence is empty'],
    ['report', `${GROUP}.ContentSequence[3].GraphicData`, [0, 0, 4, 0, 4, 4], 'GraphicData is no closed outline'],
    ['report', `${GROUP}.ContentSequence[3].ContentSequence`, undefined, 'does not say on which image the region lies'],
    // frames
    [
      'segmentation',
      'NumberOfFrames',
      '2',
      'PerFrameFunctionalGroupsSequence has not as many items as NumberOfFrames says',
    ],
    [
      'segmentation',
      'PerFrameFunctionalGroupsSequence[0].FrameContentSequence',
      undefined,
      'FrameContentSequence is missing in the functional groups',
    ],
    [
      'segmentation',
      'SharedFunctionalGroupsSequence[0].DerivationImageSequence',
      undefined,
      'DerivationImageSequence is missing in the functional groups',
    ],
    [
      'map',
      'SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence',
      undefined,
      'RealWorldValueMappingSequence is missing in the functional groups',
    ],
    [
      'segmentation',
      'SharedFunctionalGroupsSequence',
      [{}, {}],
      'SharedFunctionalGroupsSequence has 2 items instead of 1',
    ],
    [
      'segmentation',
      'DimensionIndexSequence[0].DimensionIndexPointer',
      0x00209057,
      'DimensionIndexSequence[0].DimensionIndexPointer points at nothing',
    ],
    [
      'map',
      'DimensionIndexSequence[0].FunctionalGroupPointer',
      0x0062000a,
      'DimensionIndexSequence[0].DimensionIndexPointer points at nothing',
    ],
    [
      'segmentation',
      'DimensionIndexSequence[0].DimensionOrganizationUID',
      '1.2.3',
      'DimensionOrganizationUID is not declared',
    ],
    [
      'segmentation',
      'PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0].DimensionIndexValues',
      [1, 1],
      'DimensionIndexValues has not one value for each dimension',
    ],
    [
      'segmentation',
      'PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence[0].ReferencedSegmentNumber',
      2,
      'ReferencedSegmentNumber names no segment',
    ],
    ['segmentation', 'SegmentSequence[0].SegmentNumber', 2, 'SegmentNumber does not count from 1'],
    ['map', 'ContentQualification', 'PRODUCT', 'ContentQualification has a value that is not allowed'],
    // graphics
    ['state', `${DRAWN}.NumberOfGraphicPoints`, 7, 'GraphicData has not as many points as NumberOfGraphicPoints says'],
    ['state', `${DRAWN}.GraphicFilled`, undefined, 'GraphicFilled is missing'],
    ['state', `${DRAWN}.GraphicAnnotationUnits`, 'METRES', 'GraphicAnnotationUnits has a value that is not allowed'],
    [
      'state',
      'GraphicAnnotationSequence[0].GraphicLayer',
      'ELSEWHERE',
      'GraphicAnnotationSequence[0].GraphicLayer names no layer',
    ],
    [
      'state',
      'GraphicAnnotationSequence[0].GraphicObjectSequence',
      undefined,
      'GraphicAnnotationSequence[0]. draws nothing',
    ],
    ['state', 'GraphicLayerSequence[1].GraphicLayer', 'LUNGS', 'GraphicLayerSequence names a layer twice'],
    [
      'state',
      'GraphicAnnotationSequence[2].TextObjectSequence[0].BoundingBoxTopLeftHandCorner',
      undefined,
      'BoundingBoxTopLeftHandCorner is missing',
    ],
    [
      'state',
      'DisplayedAreaSelectionSequence[0].DisplayedAreaBottomRightHandCorner',
      [2, 2],
      'GraphicData lies beyond the film',
    ],
    ['state', 'SoftcopyVOILUTSequence[0].WindowWidth', undefined, 'WindowWidth is missing beside WindowCenter'],
    ['state', 'SoftcopyVOILUTSequence', [{}], 'SoftcopyVOILUTSequence'],
    ['state', 'RescaleType', undefined, 'RescaleSlope, RescaleIntercept and RescaleType belong together'],
    ['state', 'ReferencedSeriesSequence[0].ReferencedImageSequence', [], 'ReferencedImageSequence is empty'],
  ])('%s: %s is %j', (kind, path, value, problem) => {
    const problems = validateObject(writePart10(changed(OBJECTS[kind](FILM), path, value)));
    expect(problems).toContainEqual(expect.stringContaining(problem));
  });
});

describe('damage to the file is found', () => {
  const bytes = Buffer.from(writePart10(OBJECTS.capture(FILM)));
  const instance = OBJECTS.capture(FILM).SOPInstanceUID as string;
  /** The first `from` becomes `to`. */
  const patched = (from: Buffer | string, to: Buffer | string) => {
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(to as Buffer),
      bytes.subarray(at + Buffer.from(from as Buffer).length),
    ]);
  };
  const tag = (group: number, element: number) => Buffer.from(Uint16Array.of(group, element).buffer);

  test.each<[string, () => Uint8Array, string]>([
    [
      'another VR',
      () =>
        patched(
          Buffer.concat([tag(0x0008, 0x0060), Buffer.from('CS')]),
          Buffer.concat([tag(0x0008, 0x0060), Buffer.from('SH')]),
        ),
      'Modality has another VR than the dictionary',
    ],
    [
      'an attribute that is none',
      () => patched(tag(0x0020, 0x0013), tag(0x0020, 0x00f3)),
      '(0020,00F3) is not in the data dictionary',
    ],
    [
      'attributes in another order',
      () => patched(tag(0x0008, 0x0060), tag(0x0008, 0x0016)),
      'SOPClassUID is not in ascending order',
    ],
    [
      'text that is not UTF-8',
      () => patched('Müller', Buffer.from([0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72, 0x20])),
      'PatientName is not UTF-8',
    ],
    [
      'another character set',
      () => patched('ISO_IR 192', 'ISO_IR 100'),
      'SpecificCharacterSet has a value that is not allowed',
    ],
    [
      'another SOP Instance in the file meta information',
      () =>
        patched(
          instance,
          instance.replace(/.$/, (digit) => String((Number(digit) + 1) % 10)),
        ),
      'MediaStorageSOPInstanceUID is not the SOPInstanceUID',
    ],
    [
      'an empty component in a UID',
      () => patched(FILM.StudyInstanceUID as string, '1..2.26.0.1.3680043.10.1.2'),
      'StudyInstanceUID has a value that is no UI',
    ],
    [
      'an odd length',
      () => patched(Buffer.from('CS\u0002\u0000OT'), Buffer.from('CS\u0003\u0000OT ')),
      'Modality has an odd length',
    ],
    [
      'a wrong group length',
      () => bytes.map((byte, at) => (at === 140 ? byte ^ 2 : byte)),
      'FileMetaInformationGroupLength is wrong',
    ],
    [
      'another transfer syntax',
      () => patched('1.2.840.10008.1.2.1\0', '1.2.840.10008.1.2.5\0'),
      'TransferSyntaxUID is not Explicit VR Little Endian',
    ],
    ['its end missing', () => bytes.subarray(0, bytes.length - 10), ''],
    ['nothing but zeros', () => new Uint8Array(400), ''],
    ['no bytes', () => new Uint8Array(0), ''],
    [
      'a drawn film instead of a result',
      () => syntheticDicom({ seed: 1, view: 'PA', rows: 32, columns: 32 }),
      'SOPClassUID is none that Hilum writes',
    ],
  ])('%s', (_, damage, problem) => {
    const problems = validateObject(damage());
    expect(problems).toContainEqual(expect.stringContaining(problem));
  });
});

test('any byte of the header changed, or the file cut anywhere, ends in an answer, not an exception', () => {
  const bytes = writePart10(OBJECTS.state(FILM));
  for (let at = 0; at < bytes.length; at += 7) {
    const copy = bytes.slice();
    copy[at] = copy[at]! ^ 0x55;
    expect(Array.isArray(validateObject(copy))).toBe(true);
    expect(validateObject(bytes.subarray(0, at)).length).toBeGreaterThan(0);
  }
});

test('a problem names attributes and no values: nothing about the patient gets into an error', () => {
  const secret = 'Geheim^Person';
  const problems = validateObject(
    writePart10(
      changed(
        changed(OBJECTS.report({ ...FILM, PatientName: secret, PatientID: 'SECRET-1' }), 'PatientSex', 'Q'),
        'StudyDate',
        'SECRETS',
      ),
    ),
  );
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.join()).not.toMatch(/Geheim|SECRET/);
});

describe('encode', () => {
  test('gives only objects in which nothing is wrong', () => {
    for (const { bytes } of [...encode(analysed(FILM), IDENTITY), ...encode(notAnalysed(FILM), IDENTITY)])
      expect(validateObject(bytes)).toEqual([]);
  });

  test('refuses an object that is not valid, so that it is never sent', () => {
    // The builders look at the length of a code's texts and at what is printable, the writer at lengths only.
    const code = { value: 'x'.repeat(17), scheme: 'x'.repeat(16), meaning: 'ok' };
    expect(encode(analysed(FILM), { ...IDENTITY, findings: [{ ...IDENTITY.findings[0]!, code }] })).toHaveLength(2);
    const twice = { ...code, value: '840544004', meaning: 'a\tb' };
    expect(() =>
      encode(analysed(FILM), {
        ...IDENTITY,
        findings: [{ ...IDENTITY.findings[0]!, code: twice }],
      }),
    ).toThrow(expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }));
  });
});
