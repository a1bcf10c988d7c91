import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PERSON_ROLES, ROLES, type Rule } from '../../../src/web/access/user';
import { accessSite, ask } from '../../support/web/access-site';
import { routesOf } from '../../support/web/routes';

/** The table "Routes of the access layer" of docs/security.md: route and rule. */
function documented(): Map<string, string> {
  const page = readFileSync(resolve(__dirname, '../../../docs/security.md'), 'utf8');
  const section = page.slice(page.indexOf('### Routes of the access layer'));
  const rows = section.slice(0, section.indexOf('\n## ')).matchAll(/^\| `([A-Z]+ [^`]+)` \| ([^|]+) \|/gm);
  return new Map([...rows].map((match) => [match[1]!, match[2]!.trim()]));
}

const OF_THE_TEST = [
  'GET /api/studies',
  'POST /api/verdict',
  'GET /api/dead',
  'GET /',
  'GET /defect',
  'GET /forgotten',
];
const text = (rule: Rule | null) => (rule === null ? 'NO RULE' : typeof rule === 'string' ? rule : rule.join(' or '));

test('each route of this layer has the rule that docs/security.md says; a route without one is found', async () => {
  const site = await accessSite({ access: { kind: 'both', oidc: { issuer: 'http://127.0.0.1:1', clientId: 'x' } } });
  const found = routesOf(site.app);
  await site.close();
  expect(found.filter(({ rule }) => rule === null).map(({ route }) => route)).toEqual(['GET /forgotten']);
  const own = found
    .filter(({ route }) => !OF_THE_TEST.includes(route))
    .map(({ route, rule }): [string, string] => [route, text(rule)]);
  expect(own.length).toBeGreaterThan(18);
  expect(new Map(own.sort())).toEqual(new Map([...documented()].sort()));
});

test('every route, tried with every role: who may, gets in, and nobody else', async () => {
  const site = await accessSite();
  const tokens = new Map<string, string>();
  for (const role of ROLES)
    tokens.set(role, ((await site.directory.addToken(role, role, 'test')) as { token: string }).token);
  const wrong: unknown[] = [];
  for (const { route, rule } of routesOf(site.app)) {
    const [method, path] = route.split(' ') as [string, string];
    for (const [role, token] of [...tokens, ['nobody', null] as const]) {
      const { status } = await ask(site.origin + path.replace(/:\w+/, 'none'), {
        method,
        headers: { 'Sec-Fetch-Site': 'same-origin', ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
      });
      const allowed =
        rule === null
          ? token !== null
          : rule === 'open' ||
            (rule === 'signed-in'
              ? token !== null
              : token !== null && (role === 'admin' || rule.some((one) => one === role)));
      // 400, 401 of a form that is empty, 404 and 303 are answers of the route itself, behind its guard.
      const isRefused =
        (status === 401 && route !== 'POST /sign-in') || (status === 403 && route !== 'POST /first-admin');
      if (isRefused === allowed) wrong.push({ route, role, status });
    }
  }
  await site.close();
  expect(wrong).toEqual([]);
  expect(PERSON_ROLES).not.toContain('metrics');
});
