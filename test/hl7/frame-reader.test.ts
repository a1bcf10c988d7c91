import { FrameReader } from '../../src/hl7/frame-reader';

const [VT, FS] = ['\x0b', '\x1c'];
const frame = (text: string, end = `${FS}\r`) => `${VT}${text}${end}`;
const taken = (pieces: readonly string[], max = 1_000) => {
  const reader = new FrameReader(max);
  return pieces
    .flatMap((piece) => reader.take(Buffer.from(piece, 'latin1')))
    .map(({ bytes }) => bytes.toString('latin1'));
};

test.each<[string, string[], string[]]>([
  ['one', [frame('MSH|a')], ['MSH|a']],
  ['several in one packet', [frame('MSH|a') + frame('MSH|b') + frame('MSH|c')], ['MSH|a', 'MSH|b', 'MSH|c']],
  ['one in many packets', Array.from(frame('MSH|abc')), ['MSH|abc']],
  ['without the carriage return at its end', [frame('MSH|a', FS), frame('MSH|b', FS)], ['MSH|a', 'MSH|b']],
  ['line ends between', [`\r\n${frame('MSH|a')}\n\r\n${frame('MSH|b')}`], ['MSH|a', 'MSH|b']],
  ['begun anew before its end block', [`${VT}MSH|a\rPID|`, frame('MSH|b')], ['MSH|b']],
  ['begun anew, cut within the new beginning', [`${VT}MSH|a\r${VT}M`, `SH|b${FS}\r`], ['MSH|b']],
  [
    'a vertical tab in its text, as word processors write it',
    [frame(`MSH|a\rOBX|1||${VT}b`)],
    [`MSH|a\rOBX|1||${VT}b`],
  ],
  ['empty', [frame('')], ['']],
  ['not ended', [`${VT}MSH|a`], []],
])('a frame: %s', (_what, pieces, frames) => expect(taken(pieces)).toEqual(frames));

test.each<[string, string[]]>([
  ['GET / HTTP/1.1\r\n', []],
  ['MSH|^~\\&|', []],
  ['\x16\x03\x01', []],
  [`${frame('MSH|a')}\0${frame('MSH|b')}`, ['MSH|a']],
])('%j is no frame, or none behind the first', (sent, whole) => {
  const reader = new FrameReader(1_000);
  expect(reader.take(Buffer.from(sent, 'latin1')).map(({ bytes }) => bytes.toString())).toEqual(whole);
  expect(reader.isBroken).toBe(true);
  expect(reader.take(Buffer.from(frame('MSH|c')))).toEqual([]);
});

test('what is too long is told, its beginning kept and the next one read', () => {
  const reader = new FrameReader(10);
  const frames = reader.take(Buffer.from(frame('MSH|0123456789') + frame('MSH|b')));
  expect(frames.map(({ bytes, isTooLong }) => [bytes.toString(), isTooLong])).toEqual([
    ['MSH|012345', true],
    ['MSH|b', false],
  ]);
});

test('a frame without an end holds no more memory than it may be long', () => {
  const reader = new FrameReader(100_000);
  reader.take(Buffer.from(VT));
  for (let i = 0; i < 1_000; i++) reader.take(Buffer.alloc(10_000, 'x'));
  expect((reader as unknown as { kept: Buffer }).kept.buffer.byteLength).toBe(100_000);
  expect(reader.isOpen).toBe(true);
});
