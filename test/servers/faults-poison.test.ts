import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LOST_HEADER } from '../../src/queue/message';
import { LOSS_LIMIT, WORKER_LOST } from '../../src/queue/retry-policy';
import { type Fault, retrieves } from '../support/servers/faults';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

const ROOT = resolve(__dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'hilum-poison-'));
let service: ChildProcess | undefined;
let ending = false;

afterAll(() => {
  ending = true;
  service?.kill('SIGKILL');
});
const site = Site.forTests();
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The service as users run it under a supervisor: whenever it ends, it is started again. */
function supervise(file: string): void {
  if (ending) return;
  service = spawn(process.execPath, [join(ROOT, 'dist/cli.js'), 'serve', '--config', file], { stdio: 'ignore' });
  service.once('exit', () => supervise(file));
}

test('a film that kills its worker each time is given up in the end, and the others are done meanwhile', async () => {
  const file = join(dir, 'hilum.yaml');
  const config = site.config();
  writeFileSync(file, JSON.stringify(config));
  const [poison, ...others] = [await site.put(), await site.put(), await site.put()];
  const killing: Fault = async () => void service!.kill('SIGKILL');
  const rule = site.proxy.on(retrieves(poison), killing, Infinity);
  // Three losses before the limit: to wait for all of them would take minutes.
  await site.tell(poison, { [LOST_HEADER]: LOSS_LIMIT - 2 });
  for (const other of others) await site.tell(other);
  supervise(file);
  const done = new Set<string>();
  await until(
    'the others are done',
    async () => {
      for (const { studyInstanceUid } of await site.results()) done.add(studyInstanceUid);
      return others.every((other) => done.has(other));
    },
    150_000,
  );
  const [letter] = await until(
    'the dead letter',
    async () => {
      const letters = await site.dead();
      return letters.length > 0 && letters;
    },
    150_000,
  );
  expect(letter).toMatchObject({ studyInstanceUid: poison, reason: WORKER_LOST, lost: LOSS_LIMIT });
  expect(rule.hits).toBe(3);
  expect(await site.stored(poison)).toEqual(['CR']);
  expect(await site.waiting()).toBe(0);
}, 320_000);
