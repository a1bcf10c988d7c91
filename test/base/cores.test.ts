import { mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { usableCores } from '../../src/base/cores';

const dir = mkdtempSync(join(tmpdir(), 'hilum-cores-'));
const quota = (text: string) => {
  const file = join(dir, 'cpu.max');
  writeFileSync(file, text);
  return file;
};

test('a quota below the cores of the machine counts, rounded up', () => {
  expect(usableCores(quota('50000 100000\n'))).toBe(1);
  expect(usableCores(quota('100000 100000\n'))).toBe(1);
  expect(usableCores(quota('150000 100000\n'))).toBe(Math.min(2, availableParallelism()));
});

test.each(['max 100000\n', '', 'what?'])('without a quota (%j) the cores that the process may use count', (text) => {
  expect(usableCores(quota(text))).toBe(availableParallelism());
  expect(usableCores(join(dir, 'no-such-file'))).toBe(availableParallelism());
});
