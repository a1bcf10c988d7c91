import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

/**
 * `npm run chaos` at a size that fits: real servers, real models, real kills. What the judge sees is tested in
 * test/chaos.
 */
const ROOT = resolve(__dirname, '../..');
const TIME_LIMIT_SECONDS = 360;
let child: ChildProcess | undefined;

interface Result {
  readonly folder?: string;
  readonly [key: string]: unknown;
}

/** Ended by SIGTERM it ends all that it has started. */
afterEach(() => void child?.kill('SIGTERM'));

function chaos(...args: string[]): Promise<{ status: number | null; result: Result; said: string }> {
  return new Promise((done, fail) => {
    const running = spawn(
      process.execPath,
      [join(ROOT, 'scripts/qa/chaos.mjs'), ...args, '--time-limit', String(TIME_LIMIT_SECONDS), '--json'],
      { cwd: ROOT },
    );
    child = running;
    let [out, said] = ['', ''];
    running.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    running.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    running.on('close', (status) => {
      const last = out.trimEnd().split('\n').at(-1) ?? '';
      if (!last.startsWith('{')) {
        fail(new Error(`no result, status ${status}:\n${out}${said}`));
        return;
      }
      done({ status, result: JSON.parse(last) as Result, said });
    });
  });
}

const number = (value: unknown): number => (typeof value === 'number' ? value : NaN);

test(
  'workers, broker and archive killed at random: nothing is lost, nothing doubled, nothing given up',
  async () => {
    const { status, result, said } = await chaos(
      '--studies',
      '12',
      '--workers',
      '2',
      '--seed',
      '5',
      '--kill-every',
      '3',
    );
    expect({ ...result, said }).toMatchObject({
      studies: 12,
      stored: result['films'],
      lost: 0,
      doubled: 0,
      dead: 0,
      quiet: true,
      timedOut: false,
      studiesWithoutResultEvent: 0,
      endedByThemselves: 0,
    });
    expect(number(result['films'])).toBeGreaterThan(12);
    expect(number(result['analysed']) + number(result['notAnalysed'])).toBe(result['films']);
    expect(number(result['analysed'])).toBeGreaterThan(0);
    for (const kind of ['worker', 'broker', 'archive'])
      expect((result['kills'] as Record<string, number>)[kind]).toBeGreaterThanOrEqual(1);
    expect(status).toBe(0);
    expect(result.folder).toBeUndefined();
  },
  (TIME_LIMIT_SECONDS + 120) * 1000,
);

test(
  'nothing but QIDO-RS, WADO-RS and STOW-RS, and no event: the search alone finds every film',
  async () => {
    const { status, result, said } = await chaos(
      '--studies',
      '5',
      '--workers',
      '1',
      '--seed',
      '6',
      '--kill-every',
      '0',
      '--no-events',
      '--dicomweb-only',
    );
    expect({ ...result, said }).toMatchObject({
      studies: 5,
      stored: result['films'],
      lost: 0,
      doubled: 0,
      dead: 0,
      quiet: true,
    });
    expect(number(result['analysed']) + number(result['notAnalysed'])).toBe(result['films']);
    const steps = result['steps'] as { caughtUp: number; proxy: { passed: number; refused: number } };
    expect(steps.caughtUp).toBe(5);
    // Everything went through the proxy, and nobody asked for anything else.
    expect(steps.proxy.passed).toBeGreaterThan(5);
    expect(steps.proxy.refused).toBe(0);
    expect(status).toBe(0);
  },
  (TIME_LIMIT_SECONDS + 120) * 1000,
);
