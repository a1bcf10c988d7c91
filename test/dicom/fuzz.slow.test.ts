import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

interface Found {
  readonly files: number;
  readonly seeds: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly crashes: number;
  readonly hangs: number;
  readonly unclear: number;
  readonly newEnds: number;
  readonly answers: Readonly<Record<string, number>>;
}

/** As a developer runs it, over a build that the command itself brings up to date. 10,000 files: `npm run fuzz`. */
test('500 damaged files: each ends as a film or with a reason, without crash or hang', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/qa/fuzz.mjs', '--files', '500', '--answers', '600', '--seed', '2026', '--json'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 1e8 },
  );
  const found = JSON.parse(stdout) as Found;
  expect({
    status,
    crashes: found.crashes,
    hangs: found.hangs,
    unclear: found.unclear,
    stderr: status === 0 ? '' : stderr,
  }).toEqual({ status: 0, crashes: 0, hangs: 0, unclear: 0, stderr: '' });
  expect(Object.values(found.outcomes).reduce((sum, count) => sum + count, 0)).toBe(500);
  expect(Object.values(found.answers).reduce((sum, count) => sum + count, 0)).toBe(600);
  expect(found.answers['read']).toBeGreaterThan(30);
  expect(found.answers['ARCHIVE_RESPONSE_INVALID']).toBeGreaterThan(100);
  // The damage must be of use: some films are still read to their end, and others fail only when they are decoded.
  const { analysable = 0, 'inverted-image': inverted = 0, 'saturated-image': saturated = 0 } = found.outcomes;
  expect(analysable + inverted + saturated).toBeGreaterThan(10);
  expect(analysable).toBeGreaterThan(0);
  expect(found.outcomes.undecodable).toBeGreaterThan(50);
  expect(found.newEnds).toBeGreaterThan(25);
  expect(found.seeds).toBeGreaterThanOrEqual(60);
}, 300_000);
