import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openFilmJournal } from '../../src/evaluation/journal';
import { ShadowFileStore } from '../../src/monitoring/shadow-store';
import { AuditTrail } from '../../src/web/audit/trail';
import { fakePipeline } from '../support/pipeline/fake-pipeline';

const dir = mkdtempSync(join(tmpdir(), 'hilum-private-'));
const umask = process.umask(0);
afterAll(() => {
  process.umask(umask);
  rmSync(dir, { recursive: true, force: true });
});

/** The rights of each file below a folder, in octal. */
const modes = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8));

async function writeTrail(folder: string): Promise<void> {
  const trail = new AuditTrail({ dir: folder, maxFileBytes: 1e6 }, null);
  await trail.write('<x/>', new Date());
  await trail.close();
}

test.each<[string, (folder: string) => Promise<unknown>]>([
  ['shadow mode', async (folder) => (await ShadowFileStore.open(folder)).close()],
  [
    'the journal of an evaluation',
    async (folder) => (await openFilmJournal(folder, fakePipeline().pipeline.identity())).close(),
  ],
  ['the audit trail', writeTrail],
])('%s is read by nobody else, whatever the umask', async (name, write) => {
  const folder = join(dir, name);
  await write(folder);
  expect(modes(folder)).toEqual(['600']);
});

/** Calls that make a file. What is written atomically takes its rights as an argument. */
const MAKES =
  /(?<!\.)\b(?:writeFile|appendFile|writeFileSync|appendFileSync|createWriteStream|open|openSync)\([^;]*?;/gs;
const HARMLESS = ['base/atomic-file.ts'];

test('each file that the sources make says who may read it', () => {
  const src = resolve(__dirname, '../../src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const calls = files.flatMap((name) => {
    const text = readFileSync(join(src, name), 'utf8');
    if (!/from 'node:fs(?:\/promises)?'/.test(text) || HARMLESS.includes(name)) return [];
    return [...text.matchAll(MAKES)]
      .filter(([call]) => /, '(?:a|w|wx)'|^(?:write|append)File|^create/.test(call))
      .map(([call]) => `${name}: ${call}`);
  });
  expect(calls.length).toBeGreaterThan(5);
  expect(calls.filter((call) => !/PRIVATE_MODE|0o600/.test(call))).toEqual([]);
});
