import { readLabels } from '../../src/evaluation/labels';

const read = (text: string, positive?: string) => readLabels(Buffer.from(text), positive);
const PLAIN = 'file,label,patient,device\na.png,covid,p1,A\nb.png,normal,p2,B\n';

test('the plain case: the finding is guessed, further columns are groups', () => {
  const labels = read(PLAIN);
  expect(labels).toMatchObject({
    positive: 'covid',
    negative: 'normal',
    guessed: true,
    hasPatients: true,
    groupColumns: ['device'],
    problems: [],
  });
  expect(labels.films[1]).toEqual({ file: 'b.png', positive: false, patient: 'p2', groups: { device: 'B' }, line: 3 });
});

test.each([
  ['semicolons, commas inside', 'File;Label;Patient;device\na.png;covid;p1;A, left\nb.png;normal;p2;B\n'],
  ['tabs', PLAIN.replaceAll(',', '\t')],
  ['a byte order mark, CRLF and quotes', `\ufeff${PLAIN.replaceAll('\n', '\r\n').replace('a.png', '"a.png"')}`],
  ['empty lines and blanks around', '\nfile , label,patient,device\n\na.png , covid,p1,A\n  b.png,normal,p2,B\n\n'],
])('%s', (_name, text) =>
  expect(read(text).films.map(({ file, positive, patient }) => [file, positive, patient])).toEqual([
    ['a.png', true, 'p1'],
    ['b.png', false, 'p2'],
  ]),
);

test('a quoted cell may hold quotes, delimiters and line ends', () => {
  const labels = read('file,label,note\n"a ""b"", c.png",1,"two\nlines"\nd.png,0,\n');
  expect(labels.films.map(({ file, groups, line }) => [file, groups['note'], line])).toEqual([
    ['a "b", c.png', 'two\nlines', 3],
    ['d.png', '', 4],
  ]);
});

test('Windows-1252, as older spreadsheets write it', () =>
  expect(readLabels(Buffer.from('file,label\nM\xfcller.png,1\nb.png,0\n', 'latin1')).films[0]!.file).toBe(
    'Müller.png',
  ));

test('UTF-16, as a spreadsheet writes "Unicode text"', () =>
  expect(
    readLabels(Buffer.from('\ufefffile\tlabel\r\nM\u00fcller.png\t1\r\nb.png\t0\r\n', 'utf16le')).films.map(
      ({ file }) => file,
    ),
  ).toEqual(['M\u00fcller.png', 'b.png']));

test('bad rows are told with their line, the others are used', () => {
  const { films, problems } = read(
    'file,label\na.png,1\n,1\nc.png,\nd.png,0,more\na.png,1\ne.png,0\nf.png,1\nf.png,0\n',
  );
  expect(films.map(({ file }) => file)).toEqual(['a.png', 'e.png']);
  expect(problems.map(({ line, text }) => `${line}: ${text}`)).toEqual([
    '3: no file',
    '4: no label',
    '5: 3 columns where the heading has 2',
    '6: the same file as in line 2, left out',
    '9: the same file as in line 8 with another label: both are left out',
  ]);
});

test('a path that is written in two ways is one film', () => {
  const { films, problems } = read(
    'file,label\ndeep/a.png,1\nb.png,0\ndeep\\a.png,1\n./deep//a.png,1\n.\\b.png,1\nc.png,0\n',
  );
  expect(films.map(({ file }) => file)).toEqual(['deep/a.png', 'c.png']);
  expect(problems.map(({ line }) => line)).toEqual([4, 5, 6]);
});

test('--positive decides, and must be one of the two', () => {
  expect(read('file,label\na,gesund\nb,krank\n', 'krank')).toMatchObject({
    positive: 'krank',
    negative: 'gesund',
    guessed: false,
  });
  expect(() => read('file,label\na,gesund\nb,krank\n')).toThrow(
    /can't be guessed.*"gesund" \(1\), "krank" \(1\).*--positive/,
  );
  expect(() => read(PLAIN, 'COVID')).toThrow(/--positive COVID is none of the labels/);
});

test.each([
  ['nothing', '', 'empty'],
  ['no column file', 'path,label\na,1\n', 'there is no column "file"; its columns are "path", "label"'],
  ['no column label', 'file;truth\na;1\n', 'there is no column "label"'],
  ['a column twice', 'file,label,label\na,1,1\n', 'two columns "label"'],
  ['one label', 'file,label\na,1\nb,1\n', 'two values; they have 1: "1" (2)'],
  ['three labels', 'file,label\na,1\nb,0\nc,2\n', 'they have 3'],
  ['a quote that never ends', 'file,label\n"a,1\nb,0\n', 'line 3'],
])('%s is refused', (_name, text, message) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ code: 'LABELS_INVALID', message: expect.stringContaining(message) as string }),
  );
});
