import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ROUTE_ROWS } from '../support/web/route-rows';

const ROOT = resolve(__dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const named = (text: string, form: RegExp) => [...text.matchAll(form)].map(([, name]) => name!);

/** What is no prose: fenced blocks and spans of code. */
const withoutCode = (text: string) => text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, 'code');
const withoutFences = (text: string) => text.replace(/^```[^]*?^```/gm, '');

/** Anchors of a page's headings, as GitHub makes them; one that comes again has a number. */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = [...withoutFences(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) =>
    heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  return new Set(
    headings.map((slug) => {
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

const linksOf = (text: string) =>
  [...withoutCode(text).matchAll(/\[(?:[^\]\\]|\\.)*\]\(([^)\s]+)\)/g)]
    .map(([, to]) => to!)
    .filter((to) => !/^[a-z]+:/.test(to));

const isMissing = (path: string) => !existsSync(join(ROOT, path));

/** Links of a page that lead nowhere: no such file, or no such heading in it. */
function brokenLinks(page: string, text = read(page)): string[] {
  return linksOf(text).filter((to) => {
    const [path = '', anchor] = to.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (path !== '' && !existsSync(join(ROOT, target))) return true;
    if (anchor === undefined) return false;
    return !anchorsOf(path === '' ? text : read(target)).has(anchor);
  });
}

const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));

describe('links', () => {
  test('one that leads nowhere is found, and no other', () => {
    const text = '# A b, c\n[1](#a-b-c) [2](#a) [3](../README.md) [4](none.md) [5](https://x.example) `[6](none.md)`';
    expect(brokenLinks('docs/x.md', text)).toEqual(['#a', 'none.md']);
  });

  test('every page is looked at', () => expect(pages.length).toBeGreaterThan(30));

  test('each leads to a file and a heading that are there', () =>
    expect(pages.flatMap((page) => brokenLinks(page).map((link) => `${page}: ${link}`))).toEqual([]));
});

describe('what pages name', () => {
  /** Decisions and the changelog tell of what was there at their time. */
  const ofToday = pages.filter((page) => !/^(docs\/decisions\/\d|CHANGELOG|test\/)/.test(page));
  const FOLDERS = 'src|test|scripts|docs|deploy|docker|plugin|config|training|models';
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  /** Some stand for others: `src/sinks/NAME/`. */
  const paths = (text: string) =>
    named(text, new RegExp(`\`((?:${FOLDERS})/[\\w./-]*[\\w/])\``, 'g')).filter(
      (path) => !/\b(NAME|NNN|LANGUAGE)\b/.test(path),
    );
  const commands = (text: string) => named(text, /\bnpm run ([\w:-]+)/g);

  test('a file or a command that is not there is found', () => {
    expect(paths('`src/main.ts`, `src/NAME/x.ts`, `test/none.ts`').filter(isMissing)).toEqual(['test/none.ts']);
    expect(commands('npm run demo -- --once, `npm run none`').filter((name) => !(name in scripts))).toEqual(['none']);
  });

  test('files and folders are there', () =>
    expect(
      ofToday.flatMap((page) =>
        paths(read(page))
          .filter(isMissing)
          .map((path) => `${page}: ${path}`),
      ),
    ).toEqual([]));

  test('files of docs/architecture.md are there, by their rooms', () => {
    const files = named(read('docs/architecture.md'), /`([\w-]+\/[\w./-]+\.ts)`/g);
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((file) => isMissing(file) && isMissing(`src/${file}`))).toEqual([]);
  });

  test('commands of package.json are there', () =>
    expect(
      ofToday.flatMap((page) =>
        commands(read(page))
          .filter((name) => !(name in scripts))
          .map((name) => `${page}: ${name}`),
      ),
    ).toEqual([]));
});

test('docs/api.md has each route of the API, and no other', () => {
  const plain = (route: string) => route.replace(/\?.*/, '').replace(/\/(?:UID|ID|NAME|PAGE|:\w+)(?=\/|$)/g, '/_');
  const rows = read('docs/api.md').match(/^\| `.*$/gm)!;
  const documented = rows.flatMap((row) =>
    named(row.split(/ (?<!\\)\| /)[0]!, /`((?:GET|POST|DELETE) \/api\/v1\/[^` ]*)/g),
  );
  const served = ROUTE_ROWS.filter(({ path }) => path.startsWith('/api/v1/')).map(({ route }) =>
    plain(route.replace(' ', ' /api/v1')),
  );
  expect(documented.map(plain).sort()).toEqual(served.sort());
});

describe('docs/README.md', () => {
  const rows = [...read('docs/README.md').matchAll(/^\| \[[^\]]+\]\(([^)]+)\) \| ([^|]+) \|/gm)];

  test('each page of docs is in it once, as its home', () => {
    const all = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(rows.map(([, page]) => page!).sort()).toEqual([...all, 'decisions/README.md'].sort());
  });

  test('each is of one of four kinds', () => {
    const kinds = new Set(rows.map(([, , kind]) => kind));
    expect([...kinds].sort()).toEqual(['explanation', 'how-to', 'reference', 'tutorial']);
  });
});

describe('docs/decisions', () => {
  const DIR = 'docs/decisions';
  const files = readdirSync(join(ROOT, DIR)).filter((name) => name !== 'README.md');
  const FORM = /^# (\d+)\. (.+)\n\nDate: (\d{4}-\d\d-\d\d)\. Status: ([^\n]+)\.\n\n\S/;
  const decisions = files.sort().map((file) => {
    const [, number = '', title = '', date = '', status = ''] = FORM.exec(read(join(DIR, file))) ?? [];
    return { file, number, title, date, status };
  });

  test('each has a number, which is that of its name, a title, a date, a status and a reason', () => {
    const odd = decisions.filter(
      ({ file, number }) => !/^\d{3}-[a-z0-9-]+\.md$/.test(file) || Number(number) !== Number(file.slice(0, 3)),
    );
    expect(odd).toEqual([]);
    for (const { file, date } of decisions) expect({ file, date: isDate(date) }).toEqual({ file, date: true });
  });

  test('numbers begin at 1, without a gap, each once', () =>
    expect(decisions.map(({ number }) => Number(number))).toEqual(decisions.map((_, index) => index + 1)));

  test('each is accepted, or replaced by one that is named and came later', () => {
    const odd = decisions.filter(({ number, status }) => {
      const others = [...status.matchAll(/\[(\d+)\]/g)].map(([, other]) => Number(other));
      return (
        !/^(accepted|replaced)\b/.test(status) || (status.startsWith('replaced') && !others.some((n) => n > +number))
      );
    });
    expect(odd).toEqual([]);
  });

  test('the table has each, in order, with its title, date and status', () => {
    const table = [...read(join(DIR, 'README.md')).matchAll(/^\| (\d+) \| \[(.+)\]\(([^)]+)\) \| (\S+) \| (.+) \|$/gm)];
    expect(table.map(([, number, title, file, date, status]) => ({ file, number, title, date, status }))).toEqual(
      decisions,
    );
  });
});

function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
