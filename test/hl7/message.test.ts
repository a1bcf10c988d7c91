import { Hl7SyntaxError, readMessage } from '../../src/hl7/message';

const read = (text: string, encoding: BufferEncoding = 'utf8') => readMessage(Buffer.from(text, encoding));
const MSH = (set = '', separators = '|^~\\&') =>
  ['MSH' + separators, 'RIS', 'H', '', '', '20260301', '', 'ADT^A08', '1', 'P', '2.5', '', '', '', '', '', set]
    .join(separators.charAt(0))
    .replaceAll('^', separators.charAt(1));
const nameIn = (text: string, encoding: BufferEncoding = 'utf8') => read(text, encoding).segments[1]!.text(5);

test('fields, repetitions, components and subcomponents by their numbers', () => {
  const { header, segments } = read(`${MSH()}\rPID|1||P1^^^HOSP&1.2&ISO~P2^^^OTHER||Doe^Jane||19500203|F\r`);
  expect([1, 2, 3, 9, 12].map((n) => header.raw(n))).toEqual(['|', '^~\\&', 'RIS', 'ADT^A08', '2.5']);
  expect(header.text(9, 2)).toBe('A08');
  const pid = segments[1]!;
  expect(pid.repetitions(3).map((part) => [part(1), part(4), part(4, 2)])).toEqual([
    ['P1', 'HOSP', '1.2'],
    ['P2', 'OTHER', ''],
  ]);
  expect([pid.text(5, 2), pid.text(40), pid.text(5, 9), pid.repetitions(4)]).toEqual(['Jane', '', '', []]);
});

test.each(['\r', '\n', '\r\n', '\n\r', '\r\r\n'])('segments that end with %j', (end) => {
  expect(read(`${MSH()}${end}PID|1${end}PV1|1${end}`).segments.map(({ name }) => name)).toEqual(['MSH', 'PID', 'PV1']);
});

test('other separators, in whatever order; one that is left out', () => {
  expect(
    read(`${MSH('', '#*!?%')}\rPID#1##A*B!C##Do?F?e*Ja?S?ne%x`)
      .segments[1]!.repetitions(3)
      .map((c) => c(1)),
  ).toEqual(['A', 'C']);
  expect(read(`${MSH('', '#*!?%')}\rPID#1##A##Do?F?e*Ja?S?ne%x`).segments[1]!.text(5)).toBe('Do#e');
  expect(read('MSH|^~|RIS\rPID|1||||a\\F\\b&c^d').segments[1]!.text(5)).toBe('a\\F\\b&c');
  expect(read('MSH|^~\\|RIS\rPID|1||||a\\T\\b\0&c^d').segments[1]!.text(5)).toBe('ab&c');
  expect(read(`${MSH().replace('^~\\&', '^~\\&#')}\rPID|1||P`).segments[1]!.text(3)).toBe('P');
});

test.each([
  ['a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f', 'a|b^c&d~e\\f'],
  ['a\\X4D\\b', 'aMb'],
  ['a\\Xc3bc\\b', 'aüb'],
  ['\\H\\bold\\N\\ text\\.br\\next', 'bold text\nnext'],
  ['C:\\temp\\x', 'C:\\temp\\x'],
  ['open\\end', 'open\\end'],
  ['\\XZZ\\ \\Q\\', '\\XZZ\\ \\Q\\'],
  ['a\\Zanything\\b', 'a\\Zanything\\b'],
  ['a\\ZAB1\\b', 'ab'],
  ['\\\\', '\\\\'],
  ['a\\X00\\b\0 \\X2000\\', 'ab'],
])('%s is read as %j', (sent, meant) => {
  expect(nameIn(`${MSH('UNICODE UTF-8')}\rPID|1||||${sent}`)).toBe(meant);
});

test.each<[string, Buffer, string]>([
  ['UNICODE UTF-8', Buffer.from('Müller'), 'Müller'],
  ['8859/1', Buffer.from('Müller', 'latin1'), 'Müller'],
  ['8859/2', Buffer.of(0xa3, 0xf3, 0x64), 'Łód'],
  ['ASCII', Buffer.from('Muller'), 'Muller'],
  ['ASCII', Buffer.from('Müller'), 'Müller'],
  ['ASCII', Buffer.from('Müller', 'latin1'), 'Müller'],
  ['GB 18030-2000', Buffer.of(0xcd, 0xf5), '王'],
  ['BIG-5', Buffer.of(0xa4, 0x40), '一'],
  ['KS X 1001', Buffer.of(0xb1, 0xe8), '김'],
  ['', Buffer.from('Müller'), 'Müller'],
  ['', Buffer.from('Müller', 'latin1'), 'Müller'],
  ['MARTIAN', Buffer.from('Müller', 'latin1'), 'M\ufffdller'],
])('the character set %j', (set, name, meant) => {
  const bytes = Buffer.concat([Buffer.from(`${MSH(set)}\rPID|1||||`), name, Buffer.from('^x\r')]);
  expect(readMessage(bytes).segments[1]!.text(5)).toBe(meant);
});

test('a default for messages that name no character set', () => {
  const bytes = Buffer.concat([Buffer.from(`${MSH()}\rPID|1||||`), Buffer.of(0xa3)]);
  expect(readMessage(bytes, '8859/2').segments[1]!.text(5)).toBe('Ł');
});

test('a byte order mark is passed over', () => {
  expect(readMessage(Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(MSH())])).header.name).toBe('MSH');
});

test.each([
  ['nothing', ''],
  ['text', 'hello'],
  ['another segment first', 'PID|1\rMSH|^~\\&'],
  ['MSH alone', 'MSH'],
  ['no separators', 'MSH||RIS'],
  ['one separator for two things', 'MSH|^^\\&|RIS'],
  ['letters as separators', 'MSHabcd'],
  ['a batch', 'FHS|^~\\&|RIS\rBHS|^~\\&'],
  ['16 bits a character', Buffer.from(MSH(), 'utf16le').toString('latin1')],
])('%s is no message', (_what, text) => {
  expect(() => read(text, 'latin1')).toThrow(Hl7SyntaxError);
});

test('made of separators it costs no more than its length', () => {
  const work = (length: number) => {
    const started = process.hrtime.bigint();
    for (const filling of ['~', '^', '|', '\\', '&', '\\X41', '\\F\\']) {
      const { segments } = read(`${MSH()}\rPID|1||${filling.repeat(length / filling.length)}\rPV1|1`);
      segments[1]!.repetitions(3).map((part) => part(1));
    }
    return Number(process.hrtime.bigint() - started);
  };
  work(100_000);
  // Ten times as much; in quadratic time it would take a hundred times as long.
  expect(work(2_000_000) / work(200_000)).toBeLessThan(50);
  expect(() => read(`${MSH()}${'\rX'.repeat(60_000)}`)).toThrow('more than 50000 segments');
});
