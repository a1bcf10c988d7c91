import { PASSWORD_COST as REAL_COST } from '../../../src/web/access/password-cost';
import { PASSWORD_COST } from '../../support/password-cost';
import { accessSite, type AccessSite, alertOf, ask, Browser, PASSWORD } from '../../support/web/access-site';
import { routesOf } from '../../support/web/routes';

let site: AccessSite;
beforeEach(async () => {
  site = await accessSite();
});
const cost = PASSWORD_COST.N;
afterEach(() => {
  PASSWORD_COST.N = cost;
  return site.close();
});

const add = (username: string, ...roles: string[]) =>
  site.directory.add({ username, displayName: `Name of ${username}`, password: PASSWORD, roles });
const token = async (createdBy: string, role = 'admin', days?: number) =>
  (await site.directory.addToken(`by ${createdBy}`, role, createdBy, days)) as { token: string; prefix: string };
const labels = async () => (await site.directory.listTokens()).map(({ label }) => label).sort();

async function signedIn(username: string): Promise<Browser> {
  const browser = new Browser();
  expect((await browser.post(`${site.origin}/sign-in`, { username, password: PASSWORD, returnTo: '/' })).status).toBe(
    303,
  );
  return browser;
}

/** What a form of each changing route is filled with; a new route without a line here fails. */
const FORMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'POST /first-admin': { username: 'second', displayName: 'x', password: PASSWORD },
  'POST /account/password': { current: PASSWORD, next: 'another long enough secret' },
  'POST /account/users': { username: 'new', displayName: 'x', password: PASSWORD, roles: 'operator' },
  'POST /account/users/:username/roles': { roles: 'operator' },
  'POST /account/users/:username/password': { password: 'another long enough secret' },
  'POST /account/users/:username/remove': {},
  'POST /account/tokens': { label: 'x', role: 'metrics', days: '3' },
  'POST /account/tokens/:prefix/revoke': {},
  'POST /account/sessions/:user/end': {},
};

test('what changes accounts, tokens and sessions is recorded, and does not happen where it can not be', async () => {
  const first = site.logged.find(({ event }) => event === 'access.first-token')!['token'] as string;
  const made = (await site.directory.listTokens()).length;
  expect(made).toBe(0);
  const routes = routesOf(site.app)
    .map(({ route }) => route)
    .filter((route) => /^POST \/(account|first-admin)/.test(route));
  expect(routes.sort()).toEqual(Object.keys(FORMS).sort());
  const post = (browser: Browser, route: string, prefix: string) =>
    browser.post(
      site.origin +
        route
          .slice('POST '.length)
          .replace(':username', 'reader')
          .replace(':user', 'local%3Areader')
          .replace(':prefix', prefix),
      { ...FORMS[route], token: first },
    );
  // While there is no admin; then all others, each with an account and a token of its own.
  for (const route of ['POST /first-admin', ...routes.filter((one) => one !== 'POST /first-admin')]) {
    const isFirst = route === 'POST /first-admin';
    if (!isFirst) await add('chief', 'admin');
    await add('reader', 'radiologist');
    const { prefix } = await token('local:reader', 'metrics');
    const reader = await signedIn('reader');
    const browser = isFirst ? new Browser() : await signedIn('chief');
    const [before, audits] = [await site.kept(), site.audits().length];
    site.loseAudits(true);
    const refused = (await post(browser, route, prefix)).status;
    expect([route, refused, await site.kept()]).toEqual([route, 503, before]);
    expect((await reader.go(`${site.origin}/`, { headers: { Accept: 'application/json' } })).text).toContain('Hello');
    site.loseAudits(false);
    const { status } = await post(browser, route, prefix);
    const recorded = site.audits().slice(audits).join('\n');
    expect([route, status === 200 || status === 303, /csd-code="11013[67]"/.test(recorded)]).toEqual([
      route,
      true,
      true,
    ]);
    for (const name of ['reader', 'chief']) await site.directory.remove(name);
  }
}, 180_000);

test('a wrong password until now is in the trail, and counts as a failed sign-in', async () => {
  await add('reader', 'radiologist');
  const reader = await signedIn('reader');
  const change = (current: string) =>
    reader.post(`${site.origin}/account/password`, { current, next: 'another long enough secret' });
  expect((await change('not the password')).status).toBe(400);
  const failed = () => site.audits().filter((xml) => xml.includes('change of the password'));
  expect(failed()).toHaveLength(1);
  expect(failed()[0]).toMatch(/EventOutcomeIndicator="4".*csd-code="110114".*UserID="local:reader"/);
  site.loseAudits(true);
  expect((await change('not the password')).status).toBe(503);
});

test('a sign-in under way with the old password fails, and is told so, once an admin has set another one', async () => {
  await add('chief', 'admin');
  PASSWORD_COST.N = REAL_COST.N;
  await add('reader', 'radiologist');
  const chief = await signedIn('chief');
  const browsers = Array.from({ length: 4 }, () => new Browser());
  // Passwords are checked one after the other, and slowly: the last ones after the new one is set.
  const tries = browsers.map((browser) =>
    browser.post(`${site.origin}/sign-in`, { username: 'reader', password: PASSWORD, returnTo: '/' }),
  );
  await new Promise((done) => setTimeout(done, 50));
  const next = 'another long enough secret';
  const reset = await chief.post(`${site.origin}/account/users/reader/password`, { password: next });
  expect([200, 303]).toContain(reset.status);
  const answers = await Promise.all(tries);
  expect(answers.at(-1)!.status).toBe(401);
  for (const browser of browsers)
    expect((await browser.go(`${site.origin}/`, { headers: { Accept: 'application/json' } })).status).toBe(401);
  const failed = site.audits().filter((xml) => /EventOutcomeIndicator="4".*csd-code="110114".*local:reader/.test(xml));
  expect(failed).toHaveLength(answers.filter(({ status }) => status === 401).length);
});

test('a token ends with the account or the role of the admin who made it, and so do those that it made', async () => {
  for (const name of ['chief', 'deputy', 'leaver']) await add(name, 'admin');
  const own = await token('local:leaver');
  await token(`token:${own.prefix}`, 'metrics');
  await token('local:chief', 'metrics');
  await token('local:deputy', 'metrics');
  await token('command-line:root', 'metrics');
  const chief = await signedIn('chief');
  await chief.post(`${site.origin}/account/users/leaver/remove`, {});
  expect(await labels()).toEqual(['by command-line:root', 'by local:chief', 'by local:deputy']);
  expect((await ask(`${site.origin}/account`, { headers: { Authorization: `Bearer ${own.token}` } })).status).toBe(401);
  expect(alertOf(site.audits().at(-1)!)).toMatch(
    new RegExp(`account removed, sessions ended; API tokens revoked: ${own.prefix}, [0-9a-f]{12}$`),
  );
  await chief.post(`${site.origin}/account/users/deputy/roles`, { roles: ['radiologist'] });
  expect(await labels()).toEqual(['by command-line:root', 'by local:chief']);
  await chief.post(`${site.origin}/account/users/chief/roles`, { roles: ['admin', 'operator'] });
  expect(await labels()).toEqual(['by command-line:root', 'by local:chief']);
});

test('a token has an end, which the page asks for and shows', async () => {
  await add('chief', 'admin');
  const chief = await signedIn('chief');
  const make = (days: Record<string, string>) =>
    chief.post(`${site.origin}/account/tokens`, { label: 'x', role: 'metrics', ...days });
  for (const days of ['0', '-1', '1.5', '4000', 'soon']) expect((await make({ days })).status).toBe(400);
  const { text } = await make({ days: '2' });
  const bearer = /hilum_[0-9a-f]{12}_[\w-]{43}/.exec(text)![0];
  const [made] = await site.directory.listTokens();
  expect(made!.expiresAt! - made!.createdAt).toBe(2 * 86_400_000);
  expect(text).toContain(new Date(made!.expiresAt!).toISOString());
  const status = async () =>
    (await ask(`${site.origin}/metrics`, { headers: { Authorization: `Bearer ${bearer}` } })).status;
  site.pass(47 * 3_600_000);
  expect(await status()).toBe(200);
  site.pass(2 * 3_600_000);
  expect(await status()).toBe(401);
  const again = await signedIn('chief');
  await again.post(`${site.origin}/account/tokens`, { label: 'y', role: 'metrics' });
  const last = (await site.directory.listTokens()).at(-1)!;
  expect(last.expiresAt! - last.createdAt).toBe(365 * 86_400_000);
});

test('an admin sees who is signed in, and ends the sessions of one user', async () => {
  for (const [name, role] of [
    ['chief', 'admin'],
    ['reader', 'radiologist'],
  ] as const)
    await add(name, role);
  const [chief, one, two] = [await signedIn('chief'), await signedIn('reader'), await signedIn('reader')];
  const page = (await chief.go(`${site.origin}/account/sessions`)).text;
  expect(page).toMatch(/local:reader\)<\/span>\s*<\/td>\s*<td>2<\/td>/);
  await chief.post(`${site.origin}/account/sessions/local%3Areader/end`, {});
  const isIn = async (browser: Browser) => (await browser.go(`${site.origin}/`)).status === 200;
  expect([await isIn(one), await isIn(two), await isIn(chief)]).toEqual([false, false, true]);
  expect((await chief.go(`${site.origin}/account/sessions`)).text).not.toContain('local:reader');
});
