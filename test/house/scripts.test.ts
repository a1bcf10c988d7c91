import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const script = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'scripts/models', name), ...args], { encoding: 'utf8' });

test('a script tells its use where it is asked, and beside what was wrong', () => {
  expect(script('compare-models.mjs', '--help')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^node scripts\/models\/compare-models.mjs FOLDER_A FOLDER_B/) as string,
  });
  const { status, stderr } = script('compare-models.mjs', '--nonsense');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^Unknown option '--nonsense'[^]*node scripts\/models\/compare-models.mjs FOLDER_A FOLDER_B/);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('a file that is not there is one sentence', () => {
  for (const name of ['tfjs-model.mjs', 'labels-of-manifest.mjs']) {
    const { status, stderr } = script(name, '/nowhere', ...(name === 'tfjs-model.mjs' ? ['--out', '/nowhere'] : []));
    expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 1, lines: 1 });
    expect(stderr).toContain('/nowhere');
  }
});

/** Names that a script takes, and from which file: `const { a, b: c } = dist('room/file.js')` and the other ways. */
const TAKEN =
  /\{([^{}]*)\}\s*=\s*(?:await\s+)?(?:dist\(|require\(path\.join\(ROOT, |require\(|import\()'((?:\.\.\/)*[\w./-]+\.[jt]s)'/g;

function taken(text: string): { file: string; names: string[] }[] {
  return [...text.matchAll(TAKEN)].flatMap(([, names = '', path = '']) => {
    const [, room] = /^(?:(?:\.\.\/)*(?:dist|src|test)\/|)([^.].*)\.[jt]s$/.exec(path) ?? [];
    if (room === undefined) return [];
    const file = join(ROOT, path.includes('test/') ? 'test' : 'src', `${room}.ts`);
    return [{ file, names: names.split(',').flatMap((name) => /\w+/.exec(name) ?? []) }];
  });
}

test('what scripts take from the service and the tests is there: what is named at run time no compiler reads', () => {
  const scripts = readdirSync(join(ROOT, 'scripts'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.[mc]js$/.test(name),
  );
  const uses = scripts.flatMap((name) =>
    taken(readFileSync(join(ROOT, 'scripts', name), 'utf8')).map((use) => ({ name, ...use })),
  );
  expect(uses.length).toBeGreaterThan(30);
  const missing = uses.flatMap(({ name, file, names }) => {
    if (!existsSync(file)) return [`${name}: ${file}`];
    const text = readFileSync(file, 'utf8');
    return names
      .filter(
        (one) => !new RegExp(`export (async )?(function|const|class) ${one}\\b|export \\{[^}]*\\b${one}\\b`).test(text),
      )
      .map((one) => `${name}: ${one} of ${file}`);
  });
  expect(missing).toEqual([]);
});
