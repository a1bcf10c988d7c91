import { items, text } from '../../src/dicom/attributes';
import { decodePixels } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { encapsulated } from '../support/films/dicom-fixture';
import { oddFilms, oddFragments, plainFilm } from '../support/films/odd-films';

const plain = readPart10(plainFilm());

test.each(oddFilms().map(({ name, bytes }) => [name, bytes] as const))(
  '%s: read as if it were right',
  async (name, bytes) => {
    const opened = readPart10(bytes);
    expect(opened.attributes).toMatchObject({
      SOPInstanceUID: plain.sopInstanceUid,
      PatientID: plain.attributes.PatientID,
      BodyPartExamined: 'CHEST',
      Rows: plain.attributes.Rows,
    });
    expect(Buffer.from((await decodePixels(opened)).values.buffer)).toEqual(
      Buffer.from((await decodePixels(plain)).values.buffer),
    );
    if (!/sequence|item|delimiter/.test(name) || name.includes('dictionary') || name.includes('private')) return;
    const [item] = items(opened.attributes, 'AnatomicRegionSequence');
    expect([text(item!, 'CodeValue'), text(item!, 'CodeMeaning')]).toEqual(['CODE', 'MEANING']);
  },
);

test.each(['??', 'ZZ', 'without VR'])(
  'the value of an element of VR %s is that of its VR in the dictionary',
  (part) => {
    const { bytes } = oddFilms().find(({ name }) => name.includes(part) && !name.includes('empty'))!;
    expect(readPart10(bytes).attributes.AdditionalPatientHistory).toBe('0000 HISTORY TEXT ABC');
  },
);

/** RLE of 48 x 60 pixels of 16 bits: two segments, all of literal runs. */
function rle(): Uint8Array {
  const header = Buffer.alloc(64);
  const segment = (value: (index: number) => number) =>
    Buffer.concat(
      Array.from({ length: 48 }, (_, row) =>
        Buffer.from([59, ...Array.from({ length: 60 }, (_unused, column) => value(row * 60 + column))]),
      ),
    );
  const parts = [segment((index) => index >> 8), segment((index) => index & 0xff)];
  header.writeUInt32LE(2, 0);
  header.writeUInt32LE(64, 4);
  header.writeUInt32LE(64 + parts[0]!.length, 8);
  return Buffer.concat([header, ...parts]);
}

test.each(oddFragments(rle(), '1.2.840.10008.1.2.5').map(({ name, bytes }) => [name, bytes] as const))(
  '%s: decoded as if it were right',
  async (_, bytes) => {
    const film = await decodePixels(readPart10(bytes));
    expect([film.values[0], film.values[4096 - 1216 - 1]! > 0.6]).toEqual([0, true]);
  },
);

test('fragments that are cut off are still said to be', () => {
  expect(encapsulated([rle()]).length).toBeGreaterThan(5_000);
  const [first] = oddFragments(rle(), '1.2.840.10008.1.2.5');
  expect(readPart10(first!.bytes.subarray(0, -2)).pixelData).toMatchObject({ truncated: true });
});
