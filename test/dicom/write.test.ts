import dcmjs from 'dcmjs';
import { readPart10 } from '../../src/dicom/read';
import { writePart10 } from '../../src/objects/write';
import { DATA_SET } from '../support/records/written-data-set';

test('what is written is read back', () => {
  const bytes = writePart10(DATA_SET);
  const { attributes, transferSyntaxUid } = readPart10(bytes);
  expect(transferSyntaxUid).toBe('1.2.840.10008.1.2.1');
  expect(attributes).toMatchObject({
    SpecificCharacterSet: 'ISO_IR 192',
    PatientName: [{ Alphabetic: 'Гусева^Анна', Ideographic: '山田^花子' }],
    PatientID: null,
    Rows: 3,
    GraphicData: [1.5, 2, 3.25],
    NumericValue: 97.123456,
  });
});

test('the same data set gives the same bytes, whatever the order of its keys', () => {
  const reversed = Object.fromEntries(Object.entries(DATA_SET).reverse());
  expect(Buffer.from(writePart10(reversed))).toEqual(Buffer.from(writePart10(DATA_SET)));
});

test('the file meta information is made anew: a source cannot smuggle its own in', () => {
  expect(() => writePart10({ ...DATA_SET, _meta: { TransferSyntaxUID: '1.2.840.10008.1.2.4.90' } })).toThrow(
    /_meta is no attribute/,
  );
});

test.each([
  ['a misspelt keyword', { PatientNmae: 'A' }, /PatientNmae is no attribute/],
  [
    'a misspelt keyword in a sequence',
    { ConceptNameCodeSequence: [{ CodeVal: '1' }] },
    /ConceptNameCodeSequence\[0\]\.CodeVal is no attribute/,
  ],
  ['a text longer than its VR', { StationName: 'x'.repeat(17) }, /StationName is longer than SH/],
  ['no UID', { SOPInstanceUID: '1.2.' }, /SOPInstanceUID is no UID/],
  ['a UID of 65 characters', { SeriesInstanceUID: `1.${'2'.repeat(63)}` }, /SeriesInstanceUID is longer than UI/],
  ['a missing UID', { StudyInstanceUID: undefined }, /StudyInstanceUID has no value/],
  [
    'more floats than a 16-bit length can state',
    { GraphicData: new Array<number>(16_384).fill(1) },
    /GraphicData holds 16384 numbers/,
  ],
  ['NaN', { GraphicData: [1, NaN] }, /GraphicData holds what is no number/],
])('%s is refused', (_, change, reason) => {
  expect(() => writePart10({ ...DATA_SET, ...change })).toThrow(reason);
  expect(() => writePart10({ ...DATA_SET, ...change })).toThrow(
    expect.objectContaining({ code: 'ENCODE_FAILED', lasting: 'permanent' }),
  );
});

test.each(['OB', 'OW'])('pixel data of %s, which do not go through dcmjs, are written as it writes them', (vr) => {
  const { DicomDict, DicomMetaDictionary } = dcmjs.data;
  for (const length of [1, 2, 4_097]) {
    const dataset = { ...DATA_SET, PixelData: [Uint8Array.from({ length }, (_, at) => at * 31).buffer] };
    const ours = Buffer.from(writePart10({ ...dataset, _vrMap: { PixelData: vr } }));
    const file = new DicomDict({});
    file.dict = DicomMetaDictionary.denaturalizeDataset({
      ...dataset,
      _vrMap: { PixelData: vr },
      SpecificCharacterSet: 'ISO_IR 192',
    });
    const body = Buffer.from(file.write({ allowInvalidVRLength: true }));
    const from = body.indexOf(Buffer.from([0x08, 0x00, 0x05, 0x00]));
    expect(ours.subarray(from - body.length)).toEqual(body.subarray(from));
  }
});
