import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../../../scripts/lib/servers.cjs';
import { parseConfig } from '../../../src/config/config';
import { claimAt, NotSignedIn, OidcClient, rolesOfClaims } from '../../../src/web/access/oidc';
import { openSessions } from '../../../src/web/access/session-store';
import { openDatabase } from '../../../src/worklist/database';
import { recordingLog } from '../../support/records/logs';
import { accessSite, type AccessSite, alertOf, type Answer, ask, Browser } from '../../support/web/access-site';

const CLAIMS = {
  'dr-a': { name: 'Dr A', realm_access: { roles: ['reading-room', 'other'] } },
  'it-b': { name: 'B of IT', realm_access: { roles: ['pacs-team'] } },
  guest: { name: 'Guest', realm_access: { roles: ['visitor'] } },
};

let site: AccessSite;
let provider: ChildProcess;

async function startProvider(port: number, origin: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(__dirname, '../../support/web/oidc-provider.mjs')], {
    env: { ...process.env, PORT: String(port), ORIGIN: origin, CLAIMS: JSON.stringify(CLAIMS), NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return child;
}

beforeAll(async () => {
  const port = await freePort();
  const oidc = {
    issuer: `http://127.0.0.1:${port}`,
    clientId: 'hilum',
    clientSecret: 'a secret of the client',
    rolesClaim: 'realm_access.roles',
    roles: { radiologist: ['reading-room'], operator: ['pacs-team'], admin: [] },
  };
  site = await accessSite({ access: { kind: 'oidc', oidc } });
  provider = await startProvider(port, site.origin);
});
afterAll(async () => {
  provider.kill();
  await site.close();
});

const locationOf = (answer: Answer, base: string) => new URL(answer.headers.location!, base).href;

/** Follows redirects and fills the provider's forms, until `stop` says so. */
async function follow(browser: Browser, from: string, stop: (url: string) => boolean, account = ''): Promise<string> {
  let url = from;
  for (let steps = 0; steps < 20 && !stop(url); steps += 1) {
    const answer = await browser.go(url);
    if (answer.headers.location !== undefined) url = locationOf(answer, url);
    else {
      const action = new URL(/<form[^>]* action="([^"]+)"/.exec(answer.text)![1]!, url).href;
      const hidden = Object.fromEntries(
        [...answer.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map((match) => [
          match[1]!,
          match[2]!,
        ]),
      );
      const isSignOut = answer.text.includes('logout');
      url = locationOf(
        await browser.post(action, {
          ...hidden,
          login: account,
          password: 'x',
          ...(isSignOut ? { logout: 'yes' } : {}),
        }),
        action,
      );
    }
  }
  return url;
}

const isCallback = (url: string) => url.includes('/sign-in/callback');

/** As far as the provider's answer, not yet given to the service. */
const toCallback = (browser: Browser, account: string, path = '/') =>
  follow(browser, `${site.origin}/sign-in/oidc?returnTo=${encodeURIComponent(path)}`, isCallback, account);
const isIn = async (browser: Browser) =>
  (await browser.go(`${site.origin}/`, { headers: { Accept: 'application/json' } })).status === 200;

test('through the provider and back: code flow with PKCE and nonce, roles by the claim, out at both', async () => {
  const browser = new Browser();
  const first = await browser.go(`${site.origin}/sign-in/oidc?returnTo=/study/1.2.3`);
  const asked = new URL(first.headers.location!).searchParams;
  expect([
    asked.get('response_type'),
    asked.get('code_challenge_method'),
    asked.get('redirect_uri'),
    asked.get('client_id'),
  ]).toEqual(['code', 'S256', `${site.origin}/sign-in/callback`, 'hilum']);
  for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{43}$/);
  const answer = await browser.go(await follow(browser, first.headers.location!, isCallback, 'dr-a'));
  expect([answer.status, answer.headers.location]).toEqual([303, '/study/1.2.3']);
  expect((await browser.go(`${site.origin}/`)).text).toBe('Hello Dr A');
  expect([
    (await browser.go(`${site.origin}/api/studies`)).status,
    (await browser.go(`${site.origin}/api/dead`)).status,
  ]).toEqual([200, 403]);
  const out = (await browser.post(`${site.origin}/sign-out`, {})).headers.location!;
  expect(new URL(out).searchParams.get('id_token_hint')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  expect(await isIn(browser)).toBe(false);
  expect(await follow(browser, out, (url) => url.startsWith(site.origin))).toBe(`${site.origin}/sign-in?out=1`);
  // The provider has forgotten too: it asks for the account again.
  const again = await browser.go((await browser.go(`${site.origin}/sign-in/oidc`)).headers.location!);
  expect((await browser.go(locationOf(again, site.config.access.oidc!.issuer))).text).toContain('name="login"');
}, 60_000);

test('another value of the claim is another role; none is no way in', async () => {
  const operator = new Browser();
  await operator.go(await toCallback(operator, 'it-b'));
  expect([
    (await operator.go(`${site.origin}/api/studies`)).status,
    (await operator.go(`${site.origin}/api/dead`)).status,
  ]).toEqual([403, 200]);
  const guest = new Browser();
  const answer = await guest.go(await toCallback(guest, 'guest'));
  expect([answer.status, answer.text.includes('no role in Hilum'), await isIn(guest)]).toEqual([403, true, false]);
  expect(
    site.audits().some((xml) => xml.includes('UserID="oidc:guest"') && xml.includes('EventOutcomeIndicator="4"')),
  ).toBe(true);
}, 60_000);

test("an answer counts once, with its own state, in the browser that asked, not by another's link", async () => {
  const attacker = new Browser();
  const link = await toCallback(attacker, 'dr-a');
  const victim = new Browser();
  expect([(await victim.go(link)).status, await isIn(victim)]).toEqual([403, false]);
  // The victim has a flow of his own under way: the state differs.
  await victim.go(`${site.origin}/sign-in/oidc`);
  expect([(await victim.go(link)).status, await isIn(victim)]).toEqual([403, false]);
  expect((await attacker.go(link)).status).toBe(303);
  const replay = new Browser();
  expect([(await replay.go(link)).status, await isIn(replay)]).toEqual([403, false]);
}, 60_000);

test('an answer with a wrong code, an error, or too late is refused', async () => {
  const browser = new Browser();
  const link = new URL(await toCallback(browser, 'dr-a'));
  link.searchParams.set('code', 'guessed');
  expect([(await browser.go(link.href)).status, await isIn(browser)]).toEqual([403, false]);
  const denied = new URL((await browser.go(`${site.origin}/sign-in/oidc`)).headers.location!);
  expect(
    (
      await browser.go(
        `${site.origin}/sign-in/callback?error=access_denied&state=${denied.searchParams.get('state')}` +
          `&iss=${encodeURIComponent(denied.origin)}`,
      )
    ).status,
  ).toBe(403);
  const late = new Browser();
  const answer = await toCallback(late, 'dr-a');
  site.pass(11 * 60_000);
  expect([(await late.go(answer)).status, await isIn(late)]).toEqual([403, false]);
}, 60_000);

test('a sign-in that is begun is kept by the browser alone, briefly, signed, and counts once', async () => {
  const browser = new Browser();
  const before = [await site.rows('session'), await site.rows('sign_in')];
  for (let i = 0; i < 10; i += 1) await new Browser().go(`${site.origin}/sign-in/oidc?returnTo=/${'x'.repeat(4_000)}`);
  const link = await toCallback(browser, 'dr-a', `/${'x'.repeat(4_000)}`);
  expect([await site.rows('session'), await site.rows('sign_in')]).toEqual(before);
  const jar = browser.cookies.get(site.origin)!;
  const sealed = jar.get('hilum-sign-in')!;
  expect(sealed.length).toBeLessThan(500);
  // Another return, signed by nobody.
  const [text, signature] = sealed.split('.') as [string, string];
  const forged = Buffer.from(Buffer.from(text, 'base64url').toString().replace('"/"', '"/x"')).toString('base64url');
  for (const value of [`${forged}.${signature}`, `${text}.${'A'.repeat(43)}`, text, `${text}.`]) {
    jar.set('hilum-sign-in', value);
    expect([(await browser.go(link)).status, await isIn(browser)]).toEqual([403, false]);
  }
  jar.set('hilum-sign-in', sealed);
  expect((await browser.go(link)).headers.location).toBe('/');
  expect(await isIn(browser)).toBe(true);
  const again = new Browser();
  again.cookies.set(site.origin, new Map([['hilum-sign-in', sealed]]));
  expect([(await again.go(link)).status, await isIn(again)]).toEqual([403, false]);
}, 60_000);

test('a sign-in that a provider confirms twice counts once', async () => {
  const database = openDatabase(`file:${join(site.dir, 'hilum.db')}`, recordingLog());
  const [one, other] = [openSessions(database), openSessions(database)];
  expect(await Promise.all([one.finish('x', 1), other.finish('x', 2)])).toEqual([true, false]);
  expect([await one.finish('y', 1), (await one.signInKey()).equals(await other.signInKey())]).toEqual([true, true]);
  await database.close();
});

test.each<[string, (answer: URLSearchParams) => void]>([
  ['another state', (answer) => answer.set('state', 'x'.repeat(43))],
  ['no state', (answer) => answer.delete('state')],
])(
  'an answer with %s is refused, whatever else is right',
  async (_name, change) => {
    const browser = new Browser();
    const link = new URL(await toCallback(browser, 'dr-a'));
    change(link.searchParams);
    expect([(await browser.go(link.href)).status, await isIn(browser)]).toEqual([403, false]);
  },
  60_000,
);

test('a provider that sends no ID token signs nobody in: an access token does not say who it is', async () => {
  let taken = 0;
  const withoutIdToken = async (url: string, options: RequestInit) => {
    const answer = await fetch(url, options);
    if (!url.endsWith('/token')) return answer;
    const { id_token: idToken, ...rest } = (await answer.json()) as Record<string, unknown>;
    taken += Number(typeof idToken === 'string' && typeof rest['access_token'] === 'string');
    return Response.json(rest, { status: answer.status });
  };
  const client = new OidcClient(site.config.access.oidc!, withoutIdToken);
  const { url, flow } = await client.start(`${site.origin}/sign-in/callback`);
  const answer = new URL(await follow(new Browser(), url.href, isCallback, 'dr-a'));
  await expect(client.finish(answer, flow)).rejects.toThrow(NotSignedIn);
  expect(taken).toBe(1);
}, 60_000);

test('a provider that is away: 503, and no password helps', async () => {
  const port = await freePort();
  const lonely = await accessSite({
    access: { kind: 'oidc', oidc: { issuer: `http://127.0.0.1:${port}`, clientId: 'hilum' } },
  });
  expect((await new Browser().go(`${lonely.origin}/sign-in/oidc`)).status).toBe(503);
  expect((await new Browser().post(`${lonely.origin}/sign-in`, { username: 'a', password: 'b' })).status).toBe(404);
  await lonely.close();
});

test('an admin ends sessions of the provider; who is no admin any more loses the tokens that he made', async () => {
  const admin = (await site.directory.addToken('admin', 'admin', 'test')) as { token: string };
  const asAdmin = (path: string, method = 'GET') =>
    ask(site.origin + path, { method, headers: { Authorization: `Bearer ${admin.token}` } });
  const browser = new Browser();
  await browser.go(await toCallback(browser, 'dr-a'));
  const { text } = await asAdmin('/account/sessions');
  expect([text.includes('oidc:dr-a'), text.includes('Dr A')]).toEqual([true, true]);
  const end = /action="(\/account\/sessions\/oidc%3Adr-a\/end)"/.exec(text)![1]!;
  expect([await isIn(browser), (await asAdmin(end, 'POST')).status, await isIn(browser)]).toEqual([true, 200, false]);
  expect((await asAdmin(end, 'POST')).status).toBe(400);
  expect(site.audits().filter((xml) => alertOf(xml) === 'sessions ended by an admin')).toHaveLength(1);
  for (const maker of ['oidc:it-b', 'oidc:dr-a']) await site.directory.addToken(maker, 'metrics', maker);
  await new Browser().go(await toCallback(new Browser(), 'guest'));
  const operator = new Browser();
  await operator.go(await toCallback(operator, 'it-b'));
  expect((await site.directory.listTokens()).map(({ label }) => label).sort()).toEqual(['admin', 'oidc:dr-a']);
}, 60_000);

test('an empty value stands for no role: neither in the configuration nor in the claim', () => {
  const settings = { rolesClaim: 'groups', roles: { radiologist: ['rad'], operator: [' '], admin: [''] } };
  for (const groups of ['', ' ', [''], [' '], ['', 'rad'], 'rad '])
    expect([groups, rolesOfClaims({ groups }, settings)]).toEqual([
      groups,
      /rad/.test(String(groups)) ? ['radiologist'] : [],
    ]);
  const read = (roles: object) =>
    parseConfig({
      archive: { url: 'http://localhost/dicom-web' },
      broker: { url: 'amqp://localhost' },
      access: { kind: 'oidc', oidc: { issuer: 'http://127.0.0.1:1', clientId: 'x', roles } },
    });
  expect(() => read({ admin: [] })).not.toThrow();
  for (const value of ['', ' ', '\t']) expect(() => read({ admin: [value] })).toThrow(/access\.oidc\.roles\.admin\.0/);
});

test('roles by lists, by one text, by a path or by a name with dots', () => {
  const settings = (rolesClaim: string) => ({
    rolesClaim,
    roles: { radiologist: ['rad'], operator: ['op'], admin: ['boss'] },
  });
  expect(rolesOfClaims({ groups: ['rad', 'boss', 7] }, settings('groups'))).toEqual(['radiologist', 'admin']);
  expect(rolesOfClaims({ scope: 'x op' }, settings('scope'))).toEqual(['operator']);
  expect(rolesOfClaims({ 'https://h.example/roles': ['rad'] }, settings('https://h.example/roles'))).toEqual([
    'radiologist',
  ]);
  expect(rolesOfClaims({ a: { b: ['op'] } }, settings('a.b'))).toEqual(['operator']);
  expect([rolesOfClaims({}, settings('groups')), rolesOfClaims({ groups: { rad: true } }, settings('groups'))]).toEqual(
    [[], []],
  );
  expect(claimAt({ a: 'text' }, 'a.length')).toBeUndefined();
});
