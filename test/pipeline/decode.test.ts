import { HilumError } from '../../src/base/errors';
import { PixelError } from '../../src/dicom/pixel-error';
import { NOT_ANALYSED_REASONS } from '../../src/events/closed-lists';
import { decode, open, refusalOf } from '../../src/pipeline/decode';
import { unboundedReader } from '../../src/pipeline/film-reader';
import { dicomFile, film, filmElements } from '../support/films/dicom-fixture';

const SIZE = { rows: 4, columns: 4 };
const caught = async (bytes: Uint8Array): Promise<unknown> => {
  try {
    return await decode(await open(bytes, unboundedReader), unboundedReader, SIZE);
  } catch (error) {
    return error;
  }
};

test('a film is opened, then decoded', async () => {
  const opened = await open(film([1, 2, 3, 4], { rows: 2, columns: 2 }), unboundedReader);
  expect(opened).toMatchObject({ sopInstanceUid: '1.2.3.4', attributes: { Modality: 'CR', Rows: 2 } });
  const decoded = await decode(opened, unboundedReader, SIZE);
  expect(decoded).toMatchObject({
    sopInstanceUid: '1.2.3.4',
    attributes: opened.attributes,
    image: { rows: 2, columns: 2 },
  });
  expect(decoded.image.normalised).toMatchObject(SIZE);
  expect(decoded.image.normalised.values[15]).toBe(1);
});

test.each<[string, Uint8Array, string]>([
  ['no DICOM', Buffer.from('no DICOM file at all'), 'unreadable'],
  ['no SOP Instance UID', film([1, 2], { rows: 1, columns: 2, more: [[0x00080018, 'UI', '']] }), 'unreadable'],
  [
    'a SOP Instance UID that is none',
    film([1, 2], { rows: 1, columns: 2, more: [[0x00080018, 'UI', 'x'.repeat(80)]] }),
    'unreadable',
  ],
  ['no pixel data', dicomFile(filmElements()), 'undecodable'],
  ['several frames', film([1, 2], { rows: 1, columns: 2, more: [[0x00280008, 'IS', '2']] }), 'multi-frame'],
  ['a constant picture', film([5, 5], { rows: 1, columns: 2 }), 'blank-image'],
])('%s: the refusal says %s', async (_, bytes, reason) => {
  const refusal = refusalOf(await caught(bytes));
  expect(refusal).toMatchObject({ reason, text: expect.stringMatching(/^[a-z].{10,}/) });
  expect(NOT_ANALYSED_REASONS).toContain(reason);
});

test('errors about anything but the film are no refusals', () => {
  expect(refusalOf(new HilumError('ARCHIVE_TIMEOUT', 'transient', 'late'))).toBeNull();
  expect(refusalOf(new TypeError('a slip of ours'))).toBeNull();
  expect(refusalOf(new PixelError('undecodable', 'the pixel data are cut off'))).toEqual({
    reason: 'undecodable',
    text: 'the pixel data are cut off',
  });
});
