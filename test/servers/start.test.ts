import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { portOf, StartSite } from '../support/servers/start-site';

/** How the process of the service begins and ends. Broker and archive are not needed for it. */
const CLI = resolve(__dirname, '../../dist/cli.js');
let site: StartSite;
beforeAll(async () => void (site = await StartSite.open()));
afterAll(() => site.close());

/** `hilum serve`, as users start it. */
function serve(config: object) {
  const file = join(site.dir, `${Math.random()}.json`);
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [CLI, 'serve', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.on('data', (part: Buffer) => (told += part.toString('utf8')));
  const ended = new Promise<{ status: number | null; signal: string | null }>((end) =>
    child.once('close', (status, signal) => end({ status, signal })),
  );
  return { child, ended, told: () => told };
}

/** What is no line of the log. */
const sentences = (told: string) => told.split('\n').filter((line) => line !== '' && !line.startsWith('{'));

test('a port that is taken ends the service with status 1 and one sentence that names it', async () => {
  const { ended, told } = serve(site.settings(portOf(site.taken)));
  expect(await ended).toEqual({ status: 1, signal: null });
  expect(sentences(told())).toEqual([
    expect.stringMatching(
      new RegExp(`^hilum: LISTEN_FAILED: port ${portOf(site.taken)} of 127.0.0.1 .*another program.*EADDRINUSE`),
    ),
  ]);
});

test('an audit trail that can not be begun ends the service in the same way', async () => {
  const { ended, told } = serve(
    site.settings(0, { access: { kind: 'local' }, audit: { dir: join(__filename, 'audit') } }),
  );
  expect(await ended).toEqual({ status: 1, signal: null });
  expect(sentences(told())).toEqual([expect.stringMatching(/^hilum: AUDIT_FAILED: /)]);
});

test('the first SIGTERM ends the service, although its broker never answers', async () => {
  const { child, ended, told } = serve(site.settings(0, { stopTimeoutMs: 1_000 }));
  while (child.exitCode === null && !told().includes('http.listening'))
    await new Promise((wait) => setTimeout(wait, 50));
  child.kill('SIGTERM');
  expect(await ended).toEqual({ status: 0, signal: null });
  expect(told()).toContain('service.stopped');
  expect(sentences(told())).toEqual([]);
});
