import type { Attributes } from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import { checkHeader, isByHeader, isChestRegion } from '../../src/pipeline/check';
import { describeReal, realFile } from '../support/films/real-films';

const CHEST: Attributes = { Modality: 'DX', BodyPartExamined: 'CHEST', ViewPosition: 'PA', Rows: 2000, Columns: 2000 };
const check = (change: Attributes) => checkHeader({ ...CHEST, ...change });
const reason = (change: Attributes) => check(change)?.reason ?? null;

test.each<[string, Attributes]>([
  ['DX, CHEST, PA', {}],
  ['CR', { Modality: 'CR' }],
  ['any SOP Class', { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' }],
  ['no view', { ViewPosition: null }],
  ['AP', { ViewPosition: 'AP' }],
  ['a view in words', { ViewCodeSequence: [{ CodeMeaning: 'postero-anterior' }], ViewPosition: null }],
  ['one frame', { NumberOfFrames: 1 }],
  ['FOR PRESENTATION', { PresentationIntentType: 'FOR PRESENTATION' }],
  ['body part missing', { BodyPartExamined: undefined }],
  ['body part empty', { BodyPartExamined: null, StudyDescription: 'Routine' }],
  ...['CHEST PA', 'chest', 'THORAX', 'THORAX AP/PA', 'LUNG', 'LUNGS', 'CHEST_BEDSIDE', 'TORAX'].map(
    (part): [string, Attributes] => [`body part ${part}`, { BodyPartExamined: part }],
  ),
  ['body part empty, described as chest and abdomen', { BodyPartExamined: '', StudyDescription: 'Chest and abdomen' }],
  [
    'body part empty, the series says chest, the study hip',
    { BodyPartExamined: '', SeriesDescription: 'Chest pre-op', StudyDescription: 'HIP REPLACEMENT' },
  ],
  ['body part CHEST, whatever the study is called', { StudyDescription: 'Hip replacement' }],
  [
    'body part empty, the anatomic region coded as chest in another language',
    {
      BodyPartExamined: '',
      AnatomicRegionSequence: [{ CodeValue: '51185008', CodeMeaning: 'Brustkorb' }],
      StudyDescription: 'Hip replacement',
    },
  ],
  [
    'body part empty, the anatomic region says chest',
    {
      BodyPartExamined: '',
      AnatomicRegionSequence: [{ CodeValue: 'X', CodeMeaning: 'Chest' }],
      StudyDescription: 'Hand',
    },
  ],
  ['text burned in', { BurnedInAnnotation: 'YES' }],
  ['a word that only contains a part', { BodyPartExamined: '', StudyDescription: 'Shipping handover' }],
])('%s may be analysed, and is of the chest', (_, change) => {
  expect(check(change)).toBeNull();
  expect(isChestRegion({ ...CHEST, ...change })).toBe(true);
});

test.each<[Attributes, string, boolean, RegExp]>([
  [{ Modality: 'CT' }, 'modality', false, /^modality CT is not a chest film \(CR or DX\)$/],
  [{ Modality: 'MG', BodyPartExamined: 'BREAST' }, 'modality', false, /MG/],
  [{ Modality: null }, 'modality', false, /no modality/],
  [{ Modality: 'Doe^John' }, 'modality', false, /not a code/],
  [{ PresentationIntentType: 'FOR PROCESSING' }, 'not-for-presentation', true, /processing/],
  [
    { PresentationIntentType: null, SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1.1' },
    'not-for-presentation',
    true,
    /processing/,
  ],
  [
    { BodyPartExamined: '', AnatomicRegionSequence: [{ CodeValue: '85562004', CodeMeaning: 'Hand' }] },
    'body-part',
    false,
    /^the anatomic region names another body part \(hand\)$/,
  ],
  [{ Modality: 'OT' }, 'modality', false, /OT/],
  [{ Modality: 'RF' }, 'modality', false, /RF/],
  [{ BodyPartExamined: 'BREAST' }, 'body-part', false, /BREAST/],
  [{ BodyPartExamined: 'HAND' }, 'body-part', false, /^body part HAND is not the chest$/],
  [{ BodyPartExamined: 'CSPINE' }, 'body-part', false, /CSPINE/],
  [{ BodyPartExamined: 'EXTREMITY' }, 'body-part', false, /EXTREMITY/],
  [{ BodyPartExamined: 'ABDOMEN' }, 'body-part', false, /ABDOMEN/],
  [{ BodyPartExamined: 'RIBCAGE' }, 'body-part', true, /RIBCAGE.*exposed differently/],
  [{ BodyPartExamined: 'RIB' }, 'body-part', true, /RIB/],
  [{ BodyPartExamined: 'STERNUM' }, 'body-part', true, /STERNUM/],
  [{ BodyPartExamined: 'CHESTABDOMEN' }, 'body-part', true, /more than the chest/],
  [{ BodyPartExamined: 'Becken Müller' }, 'body-part', false, /not a code/],
  [
    { BodyPartExamined: '', SeriesDescription: 'Left HAND, Mr Doe' },
    'body-part',
    false,
    /^the series description names another body part \(hand\)$/,
  ],
  [{ BodyPartExamined: '', ProtocolName: 'PELVIS_AP' }, 'body-part', false, /protocol name.*pelvis/],
  [
    { BodyPartExamined: '', SeriesDescription: 'AP', StudyDescription: 'XR Lumbar spine' },
    'body-part',
    false,
    /study description.*spine/,
  ],
  [{ BodyPartExamined: '', RequestedProcedureDescription: 'Mammography bilateral' }, 'body-part', false, /mammography/],
  [{ NumberOfFrames: 12 }, 'multi-frame', true, /12 frames/],
  [{ ViewPosition: 'LL' }, 'lateral-view', true, /^view position LL says lateral$/],
  [{ ViewPosition: 'rl' }, 'lateral-view', true, /lateral/],
  [{ ViewPosition: 'LATERAL' }, 'lateral-view', true, /lateral/],
  [{ ViewPosition: 'LEFT LATERAL' }, 'lateral-view', true, /lateral/],
  [{ ViewPosition: 'LLD' }, 'lateral-view', true, /decubitus/],
  [{ ViewPosition: 'RAO' }, 'lateral-view', true, /oblique/],
  [
    { ViewPosition: null, ViewCodeSequence: [{ CodeMeaning: 'Left Lateral' }] },
    'lateral-view',
    true,
    /view code says lateral/,
  ],
  [{ Rows: null }, 'undecodable', true, /rows or columns/],
  [{ Columns: 0 }, 'undecodable', true, /rows or columns/],
])('%j: %s', (change, expected, chest, text) => {
  const refusal = check(change);
  expect(refusal?.reason).toBe(expected);
  expect(refusal?.text).toMatch(text);
  expect(isChestRegion({ ...CHEST, ...change })).toBe(chest);
  // The pixels may give these too.
  const isByPixelsToo = ['undecodable', 'derived-result'].includes(expected);
  expect(isByHeader({ reason: refusal!.reason, view: null })).toBe(!isByPixelsToo);
});

test('a lateral view is of the header where the view model has seen none', () => {
  expect(isByHeader({ reason: 'lateral-view', view: 'lateral' })).toBe(false);
});

test('the modality comes before all else, the body part before the view', () => {
  expect(reason({ Modality: 'US', BodyPartExamined: 'HAND', ViewPosition: 'LL' })).toBe('modality');
  expect(reason({ BodyPartExamined: 'HAND', ViewPosition: 'LL', NumberOfFrames: 2 })).toBe('body-part');
});

describeReal('real films', () => {
  test.each([
    ['pydicom-data__RG1_J2KI.dcm', null],
    ['pylibjpeg-data__RG1_JLSN.dcm', null],
    ['pylibjpeg-data__966.dcm', null],
    ['dwv__gdcm-CR-MONO1-10-chest.dcm', null],
    ['torchxrayvision__1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm', null],
    ['AIHCND_C2_Starter__test1.dcm', null],
    ['AIHCND_C2_Starter__test3.dcm', null],
    ['AIHCND_C2_Starter__test4.dcm', 'body-part'],
    ['AIHCND_C2_Starter__test5.dcm', 'modality'],
    ['pydicom__6154.dcm', 'body-part'],
    ['pydicom-data__RG3_J2KR.dcm', 'body-part'],
    ['pylibjpeg-data__RG2_JPLL.dcm', 'body-part'],
    ['pylibjpeg-data__NM_Kakadu44_SOTmarkerincons.dcm', 'body-part'],
    ['orthanc-tests__CR000000.dcm', 'body-part'],
    ['fo-dicom__OutOfBoundsOverlay.dcm', 'modality'],
  ])('%s: %s', (name, expected) => {
    expect(checkHeader(readPart10(realFile(name)).attributes)?.reason ?? null).toBe(expected);
  });
});
