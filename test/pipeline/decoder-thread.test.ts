import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { PixelError } from '../../src/dicom/pixel-error';
import { decode, open, refusalOf } from '../../src/pipeline/decode';
import { DecoderThread, type DecoderThreadOptions } from '../../src/pipeline/decoder-thread';
import { type FilmReader, unboundedReader } from '../../src/pipeline/film-reader';
import type { DecodedFilm } from '../../src/pipeline/stage';
import {
  dicomFile,
  element,
  encapsulated,
  fileMeta,
  film,
  filmElements,
  item1,
  SYNTAX,
} from '../support/films/dicom-fixture';

const SUPPORT = resolve(__dirname, '../support/threads');
const threads: DecoderThread[] = [];
const lost: string[] = [];
const thread = (options: Partial<DecoderThreadOptions> = {}): DecoderThread => {
  const one = new DecoderThread({
    timeoutMs: 30_000,
    workerFile: join(SUPPORT, 'decoder-worker.cjs'),
    onLost: (why, task) => void lost.push(`${task} ${why}`),
    ...options,
  });
  threads.push(one);
  return one;
};
const faulty = (options: Partial<DecoderThreadOptions> = {}) =>
  thread({ workerFile: join(SUPPORT, 'faulty-decoder-worker.cjs'), heapMb: 64, ...options });
beforeEach(() => void (lost.length = 0));
afterEach(async () => {
  for (const one of threads.splice(0)) await one.close();
});

const SIZE = { rows: 8, columns: 8 };
const reading = async (reader: DecoderThread, first: number): Promise<unknown> =>
  reader.read(Uint8Array.of(first, 0, 0)).catch((error: unknown) => error);
const caught = async (bytes: Uint8Array, reader: FilmReader): Promise<unknown> => {
  try {
    return await decode(await open(bytes, reader), reader, SIZE);
  } catch (error) {
    return error;
  }
};

describe('a film by the thread is the film without it', () => {
  const cells = Array.from({ length: 300 * 200 }, (_, index) => (index * 7919) % 4096);
  test.each(Object.entries(SYNTAX))('%s', async (_, syntax) => {
    const file = film(
      cells,
      {
        rows: 300,
        columns: 200,
        more: [
          [
            0x00283010,
            'SQ',
            [
              [
                [0x00283002, 'US', [4, 0, 16]],
                [0x00283006, 'OW', Uint8Array.of(0, 0, 9, 0, 99, 0, 255, 255)],
              ],
            ],
          ],
        ],
      },
      syntax,
    );
    const reader = thread();
    const [here, there] = [await open(new Uint8Array(file), unboundedReader), await open(file, reader)];
    // Not toEqual: over a hundred thousand bytes it takes its time.
    expect(JSON.stringify(there) === JSON.stringify(here)).toBe(true);
    const [image, same] = [await decode(here, unboundedReader, SIZE), await decode(there, reader, SIZE)];
    for (const plane of ['normalised', 'grey'] as const)
      expect(
        Buffer.compare(Buffer.from(image.image[plane].values.buffer), Buffer.from(same.image[plane].values.buffer)),
      ).toBe(0);
    expect(same.image.digest).toBe(image.image.digest);
    const picture = await reader.picture(there.opened, 64);
    expect(picture.grey).toMatchObject({ rows: 64, columns: 43 });
    expect(picture.grey.values).toEqual((await unboundedReader.picture(here.opened, 64)).grey.values);
    // Neither the file nor what was read of it was given away.
    expect(file.buffer.byteLength).toBeGreaterThan(8_000);
    expect((await decode(there, reader, SIZE)).image.rows).toBe(300);
  });

  test('what is wrong with a file comes back as the same error', async () => {
    const reader = thread();
    for (const bytes of [
      Buffer.from('no DICOM at all'),
      film([5, 5], { rows: 1, columns: 2 }),
      dicomFile(filmElements()),
      dicomFile(filmElements(), '1.2.840.10008.1.2.4.90', encapsulated([Buffer.from('no picture')])),
    ]) {
      const [here, there] = [await caught(bytes, unboundedReader), await caught(bytes, reader)];
      expect(refusalOf(there)).not.toBeNull();
      expect(refusalOf(there)).toEqual(refusalOf(here));
      expect(there instanceof PixelError).toBe(here instanceof PixelError);
    }
    expect(lost).toEqual([]);
  });

  test('a small deflated film, unpacked into the buffer pool of Node', async () => {
    const reader = thread({ workerFile: join(SUPPORT, 'large-pool-decoder-worker.cjs') });
    const file = film([0, 3, 4, 8], { rows: 2, columns: 2 }, SYNTAX.deflated);
    expect(await caught(file, reader)).toEqual(await caught(file, unboundedReader));
    expect(await caught(file, reader)).toMatchObject({ image: { rows: 2, columns: 2 } });
    expect(lost).toEqual([]);
  });

  test('films at the same time wait for each other', async () => {
    const reader = thread();
    const films = await Promise.all(
      [1, 2, 3, 4].map((top) => caught(film([0, top, 4, 8], { rows: 2, columns: 2 }), reader)),
    );
    // The pixel at the upper right.
    expect(films.map((one) => (one as DecodedFilm).image.normalised.values[SIZE.columns - 1])).toEqual(
      [1, 2, 3, 4].map((top) => expect.closeTo(top / 8, 5) as number),
    );
  });
});

describe('a film that does not come to an end', () => {
  test('hangs: the thread is ended twice, the outcome says so, the next film is read', async () => {
    const reader = faulty({ timeoutMs: 1_500 });
    const error = await reading(reader, 1);
    expect(refusalOf(error)).toEqual({ reason: 'unreadable', text: 'reading the file took longer than 1.5 s' });
    expect(lost).toEqual(['read timeout', 'read timeout']);
    expect(await reading(reader, 0)).toEqual({ served: 1 });
  });

  test('asks for too much memory', async () => {
    const reader = faulty();
    expect(refusalOf(await reading(reader, 2))).toEqual({
      reason: 'unreadable',
      text: 'reading the file took more memory than is allowed',
    });
    expect(lost).toEqual(['read memory']);
    expect(await reading(reader, 0)).toEqual({ served: 1 });
  });

  test.each([3, 4])('ends the thread in another way (%i)', async (fault) => {
    const reader = faulty();
    expect(refusalOf(await reading(reader, fault))).toEqual({
      reason: 'unreadable',
      text: 'reading the file ended the decoder',
    });
    expect(lost).toEqual(['read died', 'read died']);
    expect(await reading(reader, 0)).toEqual({ served: 1 });
  });

  test('the others that wait at the same time are not harmed', async () => {
    const reader = faulty({ timeoutMs: 1_500 });
    const answers = await Promise.all([0, 1, 0].map((fault) => reading(reader, fault)));
    expect([answers[0], answers[2]]).toEqual([{ served: 1 }, { served: 1 }]);
    expect(refusalOf(answers[1])).not.toBeNull();
  });

  test('a defect of ours is not taken for a fault of the film', async () => {
    const error = await reading(faulty(), 5);
    expect(error).toMatchObject({ message: 'unexpected in the decoder thread: TypeError: a slip of ours' });
    expect(refusalOf(error)).toBeNull();
  });

  test('neither is a thread that cannot start', async () => {
    const error = await reading(thread({ workerFile: join(SUPPORT, 'no-such-worker.cjs') }), 0);
    expect(error).toMatchObject({ message: 'the decoder thread cannot start' });
    expect(refusalOf(error)).toBeNull();
  });

  test('one thread serves many films, and a new one after close', async () => {
    const reader = faulty();
    expect([await reading(reader, 0), await reading(reader, 0)]).toEqual([{ served: 1 }, { served: 2 }]);
    await reader.close();
    expect(await reading(reader, 0)).toEqual({ served: 1 });
  });
});

describe('bombs', () => {
  const MILLIONS = 3_000_000;
  test.each([
    ['of items', element(0x00082218, 'SQ', Buffer.alloc(8 * MILLIONS, item1(Buffer.alloc(0))))],
    ['of elements', Buffer.alloc(8 * MILLIONS, element(0x00200013, 'IS', Buffer.alloc(0)))],
    [
      'of fragments',
      element(0x7fe00010, 'OB', Buffer.alloc(8 * MILLIONS, item1(Buffer.alloc(0))), undefined, 0xffffffff),
    ],
  ])('%s, deflated', async (_, body) => {
    const bomb = Buffer.concat([fileMeta(SYNTAX.deflated), deflateRawSync(body)]);
    expect(bomb.length).toBeLessThan(100_000);
    const reader = thread();
    expect(await caught(bomb, reader)).toMatchObject({
      code: 'DICOM_UNREADABLE',
      cause: { message: expect.stringContaining('more than 500000 elements and items') },
    });
    expect(lost).toEqual([]);
  });

  test.each([
    ['text', 'UT', 0x00081199, Buffer.alloc(20_000_000, '\\')],
    ['numbers', 'UN', 0x00283006, Buffer.alloc(20_000_000)],
  ])('of %s: read without its value', async (_, vr, tag, value) => {
    const reader = thread();
    const file = dicomFile([...filmElements({ rows: 1, columns: 2 }).slice(0, 6), [tag, vr, value]], SYNTAX.deflated);
    expect((await open(file, reader)).sopInstanceUid).toBe('1.2.3.4');
  });

  test('more than a deflated body may unpack to', async () => {
    const bomb = Buffer.concat([fileMeta(SYNTAX.deflated), deflateRawSync(Buffer.alloc(300 << 20), { level: 9 })]);
    expect(bomb.length).toBeLessThan(400_000);
    expect(await caught(bomb, thread())).toMatchObject({ code: 'DICOM_UNREADABLE' });
  });
});

test('an idle thread does not keep the process alive', () => {
  const script = `
    require('./scripts/lib/typescript.cjs');
    const { DecoderThread } = require('./src/pipeline/decoder-thread.ts');
    const workerFile = ${JSON.stringify(join(SUPPORT, 'faulty-decoder-worker.cjs'))};
    new DecoderThread({ timeoutMs: 60000, workerFile })
      .read(new Uint8Array(3))
      .then((answer) => console.log(JSON.stringify(answer)));`;
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    cwd: resolve(__dirname, '../..'),
    timeout: 30_000,
  });
  expect({ status, stdout: stdout.trim(), stderr }).toEqual({ status: 0, stdout: '{"served":1}', stderr: '' });
  expect(Date.now() - started).toBeLessThan(30_000);
});
