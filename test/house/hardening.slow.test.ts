import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const UNIT = join(resolve(__dirname, '../..'), 'config/hilum.service');
const MAX_EXPOSED = 2.0;

const hasAnalyser = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasAnalyser) console.warn('SKIPPED: the exposure of the unit needs systemd-analyze (package systemd)');

(hasAnalyser ? test : test.skip)('the unit is exposed by 2.0 at most, as systemd counts', () => {
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT], {
    encoding: 'utf8',
  });
  const exposure = Number(/Overall exposure level for hilum.service: (\d+\.\d+)/.exec(stdout)![1]);
  expect(exposure).toBeGreaterThan(0);
  expect(exposure).toBeLessThanOrEqual(MAX_EXPOSED);
});

test('the unit has the settings that confine it, and what Node needs', () => {
  const unit = readFileSync(UNIT, 'utf8');
  for (const line of [
    'UMask=0077',
    'ProtectProc=invisible',
    'ProtectClock=yes',
    'RestrictSUIDSGID=yes',
    'SystemCallFilter=@system-service @pkey',
    'SystemCallFilter=~@privileged',
    'SystemCallArchitectures=native',
  ])
    expect(unit.split('\n')).toContain(line);
  // V8 makes machine code while it runs.
  expect(unit).not.toMatch(/^MemoryDenyWriteExecute/m);
});
