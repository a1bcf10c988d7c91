import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const COLUMNS = 120;
const ALLOWED = 100;

const isCode = (file: string) =>
  /\.(ts|cts|mjs|cjs|js|css|html)$/.test(file) && !file.startsWith('test/fixtures/') && existsSync(join(ROOT, file));

/** "file:line" of each that is too long, in characters. */
function longLines(file: string): string[] {
  return readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .flatMap((line, index) => (line.length > COLUMNS ? [`${file}:${index + 1}`] : []));
}

test(`at most ${ALLOWED} lines, strings that are better whole, are longer than ${COLUMNS} columns`, () => {
  const files = execFileSync('git', ['ls-files', 'src', 'test', 'scripts'], { cwd: ROOT, encoding: 'utf8' }).split(
    '\n',
  );
  const tooLong = files.filter(isCode).flatMap(longLines);
  expect(tooLong.length > ALLOWED ? tooLong : []).toEqual([]);
});
