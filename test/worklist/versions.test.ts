import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIGRATIONS } from '../../src/worklist/migrations/index';
import { RELEASES } from '../../src/worklist/migrations/migration';
import { versionTests } from '../support/suites/versions.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-versions-'));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
versionTests(() => Promise.resolve(`file:${join(dir, `${count++}.db`)}`), { takesTurns: true });

test('steps are of a release that there is, in order, and take away only what the version before does not use', () => {
  const releases = MIGRATIONS.map(({ release }) => release);
  expect(releases).toEqual([...releases].sort((a, b) => a - b));
  expect(Math.max(...releases)).toBe(RELEASES.length);
  const early = MIGRATIONS.filter((step) => step.change === 'contracts' && step.unusedSince >= step.release);
  expect(early.map(({ name }) => name)).toEqual([]);
});
