import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

test('what is made from the schemas of src is as they have it; where it is not, run: npm run contracts', () => {
  const script = join(resolve(__dirname, '../..'), 'scripts/build/contracts.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
