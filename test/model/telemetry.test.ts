import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

test('the engine keeps no device id and queues nothing for its maker', () => {
  const home = mkdtempSync(join(tmpdir(), 'hilum-home-'));
  const root = resolve(__dirname, '../..');
  const [session, models] = ['dist/model/session.js', 'models'].map((path) => JSON.stringify(join(root, path)));
  const script = `require(${session}).openModel(${models}, 'lungs-unet16')`;
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home };
  delete env['ORT_DISABLE_TELEMETRY'];
  delete env['XDG_CACHE_HOME'];
  const run = spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' });
  expect(run).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(join(home, '.cache/Microsoft'))).toBe(false);
  rmSync(home, { recursive: true, force: true });
});
