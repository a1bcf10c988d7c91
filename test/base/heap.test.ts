import { spawnSync } from 'node:child_process';
import { GROWTH_FLAG } from '../../src/base/heap';

test('this Node knows the flag, and it means what we take it for', () => {
  const { status, stderr } = spawnSync(process.execPath, [GROWTH_FLAG, '-e', ''], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  const [name = ''] = GROWTH_FLAG.split('=');
  expect(stdout).toContain(`${name} (specifies heap growing factor as (1 + heap_growing_percent/100))`);
});
