import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

/**
 * A slow regression: the CPU time of the service for a raw film of a hospital's size, to that of the networks alone,
 * taken in turns. No time by the clock is looked at, so that a loaded machine does not tell. The bound is in
 * scripts/qa/bench/targets.cjs.
 */
const ROOT = resolve(__dirname, '../..');
let child: ChildProcess | undefined;

/** Ended by SIGTERM it ends all that it has started. */
afterEach(() => void child?.kill('SIGTERM'));

test('a film costs the service little more than its networks', async () => {
  const { status, out, said } = await check();
  const result = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as { targets: unknown[] };
  expect({ status, targets: result.targets, said }).toMatchObject({
    status: 0,
    targets: [{ name: 'serviceToNetworksCpu', kind: 'raw', isReached: true }],
  });
}, 300_000);

function check(): Promise<{ status: number | null; out: string; said: string }> {
  return new Promise((done) => {
    const running = spawn(process.execPath, [join(ROOT, 'scripts/qa/bench.mjs'), '--check', '--json'], { cwd: ROOT });
    child = running;
    let [out, said] = ['', ''];
    running.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    running.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    running.on('close', (status) => done({ status, out, said }));
  });
}
