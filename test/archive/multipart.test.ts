import { Readable } from 'node:stream';
import { boundaryOf, MultipartParser, type Part, readMultipart, writeMultipart } from '../../src/archive/multipart';

const TYPE = 'multipart/related; type="application/dicom"; boundary=b0';
const LIMITS = { maxBodyBytes: 1000 };

/** Feeds a text in pieces of `size` bytes. */
async function* inPieces(text: string, size = 1): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const read = (text: string, size?: number, limits = LIMITS, type = TYPE) =>
  readMultipart(inPieces(text, size ?? text.length), type, limits);
const bodies = (parts: readonly Part[]) => parts.map(({ body }) => body.toString('latin1'));
const ONE = '--b0\r\nContent-Type: application/dicom\r\n\r\nabc\r\n--b0--\r\n';

describe('boundary', () => {
  test.each([
    ['multipart/related; boundary=abc', 'abc'],
    ['multipart/related; boundary="a b=c;d"', 'a b=c;d'],
    ['multipart/related; type="application/dicom"; boundary=x-1; charset=utf-8', 'x-1'],
    ['Multipart/Related;BOUNDARY = abc', 'abc'],
  ])('%s', (type, boundary) => expect(boundaryOf(type)).toBe(boundary));

  test.each([
    ['multipart/related'],
    ['multipart/related; boundary='],
    ['multipart/related; boundary=""'],
    [`multipart/related; boundary=${'x'.repeat(71)}`],
  ])('%s has none', (type) =>
    expect(() => boundaryOf(type)).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_RESPONSE_INVALID', lasting: 'transient' }) as Error,
    ),
  );
});

describe('reading', () => {
  test('one part, whatever the pieces it comes in', async () => {
    for (let size = 1; size <= ONE.length; size++) {
      const parts = await read(ONE, size);
      expect(bodies(parts)).toEqual(['abc']);
      expect(parts[0]?.headers.get('content-type')).toBe('application/dicom');
    }
  });

  test.each([
    ['a preamble and an epilogue', `hello\r\n${ONE}bye`, ['abc']],
    ['two parts', '--b0\r\nA: 1\r\n\r\none\r\n--b0\r\nA: 2\r\n\r\ntwo\r\n--b0--', ['one', 'two']],
    ['no headers', '--b0\r\n\r\nabc\r\n--b0--', ['abc']],
    ['an empty body', '--b0\r\nA: 1\r\n\r\n\r\n--b0--', ['']],
    ['white space after the delimiter', '--b0 \t\r\nA: 1\r\n\r\nabc\r\n--b0--', ['abc']],
    ['a longer boundary inside the body', '--b0\r\nA: 1\r\n\r\nx\r\n--b0x\r\ny\r\n--b0--', ['x\r\n--b0x\r\ny']],
    [
      'line ends and dashes inside the body',
      '--b0\r\nA: 1\r\n\r\n\r\n\r\n--\r\n--b\r\n\r\n--b0--',
      ['\r\n\r\n--\r\n--b\r\n'],
    ],
    ['no parts', '--b0--\r\n', []],
  ])('%s', async (_name, text, expected) => {
    expect(bodies(await read(text))).toEqual(expected);
    expect(bodies(await read(text, 1))).toEqual(expected);
    expect(bodies(await read(text, 3))).toEqual(expected);
  });

  test('random bytes come back as they went in', async () => {
    const random = Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7919 + (index >> 3) * 31) & 0xff));
    const body = writeMultipart(
      [
        { contentType: 'application/dicom', body: random },
        { contentType: 'application/dicom', body: Buffer.alloc(0) },
      ],
      'b0',
    );
    for (const size of [1, 7, 64, 4096, 10_000]) {
      const parts = await readMultipart(inPieces(body.toString('latin1'), size), TYPE, { maxBodyBytes: 5_000 });
      expect(parts.map((part) => part.body)).toEqual([random, Buffer.alloc(0)]);
    }
  });

  test('two parts in large pieces, wherever one ends: in a delimiter, in headers, in a body', async () => {
    const bodies = [Buffer.alloc(1_500, 'x\r\n--b'), Buffer.alloc(700, 'y')];
    const text = writeMultipart(
      bodies.map((body) => ({ contentType: 'application/dicom', body })),
      'b0',
    ).toString('latin1');
    for (let size = 500; size <= text.length; size++) {
      const parts = await readMultipart(inPieces(text, size), TYPE, { maxBodyBytes: 1_500 });
      expect(parts.map((part) => part.body)).toEqual(bodies);
    }
  });

  test('of a large body no more is copied than once, into the part', async () => {
    const piece = Buffer.alloc(64 * 1024, 7);
    const copied = jest.spyOn(Buffer, 'concat');
    const parser = new MultipartParser('b0', { maxBodyBytes: 100 * piece.length });
    parser.push(Buffer.from('--b0\r\n\r\n'));
    for (let count = 0; count < 100; count++) parser.push(piece);
    const joined = copied.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0);
    copied.mockRestore();
    expect(joined).toBeLessThan(piece.length);
    parser.push(Buffer.from('\r\n--b0--'));
    expect(parser.end()[0]?.body).toHaveLength(100 * piece.length);
  });

  test.each([
    ['nothing', ''],
    ['no delimiter', 'abc'],
    ['a body without its end', '--b0\r\nA: 1\r\n\r\nabc'],
    ['an end in the middle of the delimiter', '--b0\r\nA: 1\r\n\r\nabc\r\n--b'],
    ['no closing delimiter', '--b0\r\nA: 1\r\n\r\nabc\r\n--b0\r\n'],
    ['headers without their end', '--b0\r\nA: 1\r\n'],
    ['another boundary', ONE.replaceAll('b0', 'c0')],
  ])('%s is malformed, and may pass', async (_name, text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'ARCHIVE_RESPONSE_INVALID', lasting: 'transient' });
  });
});

describe('limits', () => {
  test('a body at its limit, and one byte more, which will not pass', async () => {
    await expect(read(ONE, 2, { maxBodyBytes: 3 })).resolves.toHaveLength(1);
    await expect(read(ONE, 2, { maxBodyBytes: 2 })).rejects.toMatchObject({
      code: 'DICOM_UNREADABLE',
      lasting: 'permanent',
    });
  });

  test('it is found before the body has ended', () => {
    const parser = new MultipartParser('b0', { maxBodyBytes: 100 });
    parser.push(Buffer.from('--b0\r\n\r\n'));
    expect(() => {
      for (let count = 0; count < 4; count++) parser.push(Buffer.alloc(50));
    }).toThrow(expect.objectContaining({ code: 'DICOM_UNREADABLE' }) as Error);
  });

  test.each([
    ['headers', `--b0\r\nA: ${'x'.repeat(200)}\r\n\r\nabc\r\n--b0--`],
    ['headers without an end', `--b0\r\n${'x'.repeat(200)}`],
    ['a preamble', `${'x'.repeat(200)}\r\n${ONE}`],
    ['parts', `${'--b0\r\n\r\nx\r\n'.repeat(4)}--b0--`],
    ['padding', `--b0${' '.repeat(500)}\r\n\r\nabc\r\n--b0--`],
  ])('too many or too long %s', async (_name, text) => {
    const limits = { maxBodyBytes: 1000, maxHeaderBytes: 100, maxParts: 3 };
    await expect(read(text, undefined, limits)).rejects.toMatchObject({ code: 'ARCHIVE_RESPONSE_INVALID' });
    await expect(read(text, 5, limits)).rejects.toMatchObject({ code: 'ARCHIVE_RESPONSE_INVALID' });
  });
});

describe('memory for a body', () => {
  const type = 'multipart/related; boundary=b';
  const bodyOf = (text: string) => Buffer.from(`--b\r\n\r\n${text}\r\n--b--\r\n`);

  test.each([1, 7, 4096])('a body is written there as it arrives, in pieces of %d bytes', async (size) => {
    const memory = new Uint8Array(new SharedArrayBuffer(64));
    const whole = bodyOf('a body of 21 bytes \r\n');
    const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
      whole.subarray(n * size, (n + 1) * size),
    );
    const [part] = await readMultipart(Readable.from(pieces), type, { maxBodyBytes: 64, memory });
    expect(part!.body.toString('latin1')).toBe('a body of 21 bytes \r\n');
    expect(part!.body.buffer).toBe(memory.buffer);
  });

  test('one that is longer is put together all the same', async () => {
    const memory = new Uint8Array(10);
    const pieces = [...bodyOf('longer than ten bytes')].map((byte) => Uint8Array.of(byte));
    const [part] = await readMultipart(Readable.from(pieces), type, { maxBodyBytes: 64, memory });
    expect(part!.body.toString('latin1')).toBe('longer than ten bytes');
    expect(part!.body.buffer).not.toBe(memory.buffer);
  });

  test('only the first body is written there', async () => {
    const memory = new Uint8Array(64);
    const two = Buffer.from('--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n');
    const parts = await readMultipart(Readable.from([two]), type, { maxBodyBytes: 64, memory });
    expect(parts.map(({ body }) => body.toString('latin1'))).toEqual(['one', 'two']);
  });
});
