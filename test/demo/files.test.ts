import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFiles, looksLikeDicom } from '../../scripts/dev/demo/files.cjs';

const dir = mkdtempSync(join(tmpdir(), 'hilum-demo-files-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const part10 = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(20)]);

test('a folder of anything: what may be DICOM is sent, of each other file it is told why not', () => {
  mkdirSync(join(dir, 'any/sub/deeper'), { recursive: true });
  const put = (name: string, bytes: Buffer | string) => writeFileSync(join(dir, 'any', name), bytes);
  put('film.dcm', part10);
  put('sub/deeper/IM0001', part10);
  put('sub/without-preamble', Buffer.from([8, 0, 5, 0, 0x43, 0x53, 10, 0, 0, 0]));
  put('notes.txt', 'a text');
  put('films.zip', Buffer.from('PK\x03\x04........................'));
  put('sub/picture.png', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
  put('empty', '');
  symlinkSync('nowhere', join(dir, 'any/broken'));
  symlinkSync('.', join(dir, 'any/circle'));
  const { files, others } = findFiles(join(dir, 'any'));
  expect(files.map(({ name }) => name)).toEqual(['film.dcm', 'sub/deeper/IM0001', 'sub/without-preamble']);
  expect(Object.fromEntries(others.map(({ name, problem }) => [name, problem]))).toEqual({
    broken: "can't be read (ENOENT)",
    circle: 'a link to a folder, not followed',
    empty: 'no DICOM file',
    'films.zip': 'no DICOM file',
    'notes.txt': 'no DICOM file',
    'sub/picture.png': 'no DICOM file',
  });
});

test('one file, and what is not there', () => {
  writeFileSync(join(dir, 'one.dcm'), part10);
  expect(findFiles(join(dir, 'one.dcm')).files).toEqual([{ file: join(dir, 'one.dcm'), name: 'one.dcm' }]);
  expect(() => findFiles(join(dir, 'nowhere'))).toThrow(/there is no .*nowhere/);
});

test.each([
  ['a truncated preamble', part10.subarray(0, 130), false],
  ['nothing', Buffer.alloc(0), false],
  ['text', Buffer.from('hello world, hello world'), false],
  ['group 0002 without a preamble', Buffer.from([2, 0, 0, 0, 0x55, 0x4c, 4, 0, 1, 0]), true],
])('%s', (_what, bytes, expected) => {
  expect(looksLikeDicom(bytes)).toBe(expected);
});

test('a bare clone, without npm packages and build, reads its options and finds films', () => {
  cpSync(resolve(__dirname, '../../scripts'), join(dir, 'clone/scripts'), { recursive: true });
  const demo = (...args: string[]) =>
    spawnSync(process.execPath, [join(dir, 'clone/scripts/dev/demo.mjs'), ...args], { encoding: 'utf8', cwd: dir });
  expect(demo('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--films DIR') as string });
  mkdirSync(join(dir, 'texts'));
  writeFileSync(join(dir, 'texts/notes.txt'), 'a text');
  const { status, stderr } = demo('--films', 'texts');
  expect(stderr).toBe('texts holds no DICOM file: of its 1 files the first is notes.txt, no DICOM file\n');
  expect(status).toBe(1);
});
