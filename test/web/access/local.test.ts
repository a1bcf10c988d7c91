import { certificate } from '../../support/servers/certificates';
import { accessSite, type AccessSite, ask, Browser, PASSWORD } from '../../support/web/access-site';

let site: AccessSite;
const add = (username: string, ...roles: string[]) =>
  site.directory.add({ username, displayName: `Name of ${username}`, password: PASSWORD, roles });
const signIn = async (username: string, password = PASSWORD, browser = new Browser()) => ({
  browser,
  answer: await browser.post(`${site.origin}/sign-in`, { username, password, returnTo: '/' }),
});
const cookieOf = (browser: Browser) => browser.cookies.get(site.origin)?.get('hilum');

describe('local accounts', () => {
  beforeAll(async () => {
    site = await accessSite({ access: { signInTries: 3 }, repeatsMs: 500 });
  });
  afterAll(() => site.close());

  test('the first start logs a token once; it makes the first admin and ends', async () => {
    const tokens = site.logged
      .filter(({ event }) => event === 'access.first-token')
      .map(({ token }) => token as string);
    expect(tokens).toHaveLength(1);
    await site.access.begin();
    expect(site.logged.filter(({ event }) => event === 'access.first-token')).toHaveLength(1);
    const browser = new Browser();
    expect((await browser.go(`${site.origin}/sign-in`)).text).toContain('/first-admin');
    const make = (token: string, username = 'chief') =>
      browser.post(`${site.origin}/first-admin`, { token, username, displayName: 'Chief', password: PASSWORD });
    expect((await make('wrong')).status).toBe(403);
    expect((await make(tokens[0]!)).headers.location).toBe('/sign-in');
    expect((await make(tokens[0]!, 'second')).status).toBe(403);
    expect((await site.directory.list()).map(({ username, roles }) => [username, roles])).toEqual([
      ['chief', ['admin']],
    ]);
    expect((await browser.go(`${site.origin}/sign-in`)).text).not.toContain('/first-admin');
  });

  test('right password in, wrong password or unknown account out, and both look alike', async () => {
    await add('reader', 'radiologist');
    const wrong = await signIn('reader', 'not the password');
    const unknown = await signIn('nobody', 'not the password');
    expect([wrong.answer.status, unknown.answer.status, wrong.answer.text === unknown.answer.text]).toEqual([
      401,
      401,
      true,
    ]);
    expect(cookieOf(wrong.browser)).toBeUndefined();
    const { browser, answer } = await signIn(' Reader ');
    expect([answer.status, answer.headers.location]).toEqual([303, '/']);
    expect((await browser.go(`${site.origin}/`)).text).toBe('Hello Name of reader');
    expect(JSON.parse((await browser.go(`${site.origin}/api/studies`)).text)).toEqual({ by: 'local:reader' });
    expect((await browser.go(`${site.origin}/api/dead`)).status).toBe(403);
    expect((await browser.go(`${site.origin}/account/users`)).status).toBe(403);
  });

  test('a session begins under a new id, and the old one is worth nothing (fixation)', async () => {
    const browser = new Browser();
    const planted = 'A'.repeat(43);
    browser.cookies.set(site.origin, new Map([['hilum', planted]]));
    await signIn('reader', PASSWORD, browser);
    const first = cookieOf(browser)!;
    expect(first).not.toBe(planted);
    await signIn('reader', PASSWORD, browser);
    const second = cookieOf(browser)!;
    const status = async (id: string) =>
      (await ask(`${site.origin}/api/studies`, { headers: { Cookie: `hilum=${id}` } })).status;
    expect([second === first, await status(planted), await status(first), await status(second)]).toEqual([
      false,
      401,
      401,
      200,
    ]);
    expect((await browser.post(`${site.origin}/sign-out`, {})).headers.location).toBe('/sign-in?out=1');
    expect(await status(second)).toBe(401);
  });

  test('a session that is not used ends, one that is used goes on, and each ends after its longest time', async () => {
    const { browser } = await signIn('reader');
    const status = async (headers = {}) =>
      (await browser.go(`${site.origin}/api/studies`, { headers: { Accept: 'application/json', ...headers } })).status;
    site.pass(20 * 60_000);
    expect(await status()).toBe(200);
    site.pass(20 * 60_000);
    // A request that the page makes by itself is answered, and does not keep the session alive.
    expect(await status({ 'X-Hilum-Background': '1' })).toBe(200);
    site.pass(11 * 60_000);
    expect(await status()).toBe(401);
    const again = (await signIn('reader')).browser;
    for (let minutes = 0; minutes < 12 * 60; minutes += 25) {
      expect((await again.go(`${site.origin}/api/studies`)).status).toBe(200);
      site.pass(25 * 60_000);
    }
    expect((await again.go(`${site.origin}/api/studies`, { headers: { Accept: 'application/json' } })).status).toBe(
      401,
    );
  });

  test('live updates and pictures, which a page can not mark, do not keep a session alive', async () => {
    const film = '/api/v1/studies/1.2.3/films/1.2.3.4';
    const paths = ['/api/v1/live?since=3', `${film}/picture?size=256`, `${film}/heat-map?&part=film`, '/ui/icon-3.svg'];
    for (const path of paths) {
      const { browser } = await signIn('reader');
      site.pass(20 * 60_000);
      // There is no such route here: who asks was found before.
      expect((await browser.go(`${site.origin}${path}`)).status).toBe(404);
      site.pass(11 * 60_000);
      expect((await browser.go(`${site.origin}/api/studies`, { headers: { Accept: 'application/json' } })).status).toBe(
        401,
      );
    }
  });

  test('what changes something is taken from our own pages only', async () => {
    const { browser } = await signIn('reader');
    const post = async (headers: Record<string, string>) =>
      (await browser.post(`${site.origin}/api/verdict`, {}, headers)).status;
    expect(await post({ 'Sec-Fetch-Site': 'same-origin' })).toBe(200);
    expect(await post({ Origin: site.origin })).toBe(200);
    const refused: Record<string, string>[] = [
      {},
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'none' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site', Origin: site.origin },
    ];
    for (const headers of refused) expect([headers, await post(headers)]).toEqual([headers, 403]);
    // The sign-in itself too: nobody can be signed in as somebody else by another page.
    expect(
      (
        await new Browser().post(
          `${site.origin}/sign-in`,
          { username: 'reader', password: PASSWORD },
          { Origin: 'https://evil.example' },
        )
      ).status,
    ).toBe(403);
  });

  test('wrong passwords are slowed, all at once too, and the right one waits as well', async () => {
    await add('target', 'radiologist');
    const many = await Promise.all(Array.from({ length: 8 }, () => signIn('target', 'guess guess guess')));
    expect(many.map(({ answer }) => answer.status).sort()).toEqual([401, 401, 401, 429, 429, 429, 429, 429]);
    const { answer } = await signIn('target');
    expect([answer.status, Number(answer.headers['retry-after']) > 600]).toEqual([429, true]);
    // All are told, the repeated ones by their number.
    const locked = () => site.told('local:target', 'EventOutcomeIndicator="8"');
    for (let tries = 0; tries < 100 && locked() < 6; tries += 1) await new Promise((done) => setTimeout(done, 100));
    expect(locked()).toBe(6);
    const messages = site
      .audits()
      .filter((xml) => xml.includes('local:target') && xml.includes('EventOutcomeIndicator="8"'));
    expect(messages.length).toBeLessThan(6);
  });

  test('a new password ends every other session; roles count at once; the last admin stays', async () => {
    await add('changer', 'radiologist');
    const [one, other] = [(await signIn('changer')).browser, (await signIn('changer')).browser];
    const next = 'another long enough secret';
    expect((await one.post(`${site.origin}/account/password`, { current: PASSWORD, next: 'short' })).status).toBe(400);
    expect((await one.post(`${site.origin}/account/password`, { current: PASSWORD, next })).status).toBe(303);
    expect((await one.go(`${site.origin}/api/studies`)).status).toBe(200);
    expect((await other.go(`${site.origin}/api/studies`)).status).toBe(303);
    expect(await site.directory.setRoles('changer', ['operator'])).toBeNull();
    expect([
      (await one.go(`${site.origin}/api/studies`)).status,
      (await one.go(`${site.origin}/api/dead`)).status,
    ]).toEqual([403, 200]);
    expect([await site.directory.setRoles('chief', ['operator']), await site.directory.remove('chief')]).toEqual([
      'This is the last admin: make another one first.',
      'This is the last admin: make another one first.',
    ]);
    expect(await site.directory.remove('changer')).toBeNull();
    expect((await one.go(`${site.origin}/api/dead`)).status).toBe(303);
  });

  test('an admin makes accounts and tokens on the pages; nothing typed becomes markup', async () => {
    const { browser } = await signIn('chief');
    const made = await browser.post(`${site.origin}/account/users`, {
      username: 'new.one',
      displayName: '<script>alert(1)</script>',
      password: PASSWORD,
      roles: ['radiologist', 'operator'],
    });
    expect(made.status).toBe(303);
    const listed = (await browser.go(`${site.origin}/account/users`)).text;
    expect(listed).toContain('&lt;script&gt;');
    expect(listed).not.toContain('<script');
    const page = (await browser.post(`${site.origin}/account/tokens`, { label: 'Prometheus', role: 'metrics' })).text;
    const token = /hilum_[0-9a-f]{12}_[\w-]{43}/.exec(page)![0];
    expect((await browser.go(`${site.origin}/account/tokens`)).text).not.toContain(token);
    const get = async (path: string, bearer: string) =>
      (await ask(site.origin + path, { headers: { Authorization: `Bearer ${bearer}` } })).status;
    expect([
      await get('/metrics', token),
      await get('/api/studies', token),
      await get('/metrics', `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`),
    ]).toEqual([200, 403, 401]);
    const { prefix, usedAt } = (await site.directory.listTokens())[0]!;
    expect(usedAt).not.toBeNull();
    await browser.post(`${site.origin}/account/tokens/${prefix}/revoke`, {});
    expect(await get('/metrics', token)).toBe(401);
  });

  test('after the sign-in nobody is sent to another site', async () => {
    for (const [returnTo, expected] of [
      ['//evil.example', '/'],
      ['/\\evil.example', '/'],
      ['https://evil.example', '/'],
      ['/study/1.2.3?x=1', '/study/1.2.3?x=1'],
    ]) {
      const answer = await new Browser().post(`${site.origin}/sign-in`, {
        username: 'reader',
        password: PASSWORD,
        returnTo: returnTo!,
      });
      expect([returnTo, answer.headers.location]).toEqual([returnTo, expected]);
    }
  });

  test('the database holds no password, no session id and no token as it is', async () => {
    const { browser } = await signIn('reader');
    const { token } = (await site.directory.addToken('x', 'metrics', 'test')) as { token: string };
    const { readFileSync, readdirSync } = await import('node:fs');
    const bytes = Buffer.concat(
      readdirSync(site.dir)
        .filter((name) => name.startsWith('hilum.db'))
        .map((name) => readFileSync(`${site.dir}/${name}`)),
    );
    expect(bytes.includes('scrypt$')).toBe(true);
    for (const secret of [PASSWORD, cookieOf(browser)!, token]) expect(bytes.includes(secret)).toBe(false);
  });
});

describe('outside loopback', () => {
  const tls = certificate();
  beforeAll(async () => {
    site = await accessSite({ http: { host: '0.0.0.0', tls: { certFile: tls.certFile, keyFile: tls.keyFile } } });
    await add('reader', 'radiologist');
  });
  afterAll(async () => {
    await site.close();
    tls.remove();
  });

  test('who has not signed in gets nothing', async () => {
    const get = async (path: string) => (await ask(site.origin + path)).status;
    for (const path of [
      '/',
      '/api/studies',
      '/api/dead',
      '/metrics',
      '/forgotten',
      '/no-such-page',
      '/account',
      '/account/users',
    ])
      expect([path, await get(path)]).toEqual([path, 401]);
    const [live, ready] = [await ask(`${site.origin}/health/live`), await ask(`${site.origin}/health/ready`)];
    expect([live.text, ready.status, ready.text]).toEqual(['{"live":true}', 503, '{"ready":false}']);
    const page = await ask(`${site.origin}/study/1.2.3`, { headers: { Accept: 'text/html' } });
    expect([page.status, page.headers.location]).toEqual([303, '/sign-in?returnTo=%2Fstudy%2F1.2.3']);
  });

  test('a token of the role metrics reads metrics and what is wrong', async () => {
    const { token } = (await site.directory.addToken('Prometheus', 'metrics', 'test')) as { token: string };
    const get = (path: string) => ask(site.origin + path, { headers: { Authorization: `Bearer ${token}` } });
    expect([(await get('/metrics')).text, JSON.parse((await get('/health/ready')).text)]).toEqual([
      'hilum_up 1\n',
      { ready: false, checks: { broker: 'secret trouble' } },
    ]);
  });

  test('cookies are for this host only, for HTTPS only, for no script', async () => {
    const { answer } = await signIn('reader');
    expect(answer.headers['set-cookie']).toHaveLength(1);
    const [name, ...flags] = answer.headers['set-cookie']![0]!.split('; ');
    expect(name).toMatch(/^__Host-hilum=[\w-]{43}$/);
    expect(flags.sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']);
  });

  test('security headers, and a policy without inline scripts', async () => {
    const { headers } = await ask(`${site.origin}/sign-in`);
    expect(headers['content-security-policy']).toContain("default-src 'none';script-src 'self';style-src 'self'");
    expect(headers['content-security-policy']).not.toMatch(/unsafe|\*/);
    expect(headers).toMatchObject({
      'strict-transport-security': expect.stringContaining('max-age=31536000') as string,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(headers['x-powered-by']).toBeUndefined();
  });
});

describe('nobody signs in, on loopback', () => {
  beforeAll(async () => {
    site = await accessSite({ access: { kind: 'none' } });
  });
  afterAll(() => site.close());

  test('this machine has all roles; another name or a proxy in between has none', async () => {
    const get = async (headers: Record<string, string>) =>
      (await ask(`${site.origin}/api/studies`, { headers })).status;
    const port = new URL(site.origin).port;
    expect([site.access.everyoneIsLocal, await get({}), await get({ Host: `localhost:${port}` })]).toEqual([
      true,
      200,
      200,
    ]);
    for (const headers of [
      { Host: `evil.example:${port}` },
      { 'X-Forwarded-For': '10.0.0.1' },
      { Forwarded: 'for=10.0.0.1' },
    ] as Record<string, string>[])
      expect([headers, await get(headers)]).toEqual([headers, 401]);
    expect(
      (await ask(`${site.origin}/api/verdict`, { method: 'POST', headers: { Origin: 'https://evil.example' } })).status,
    ).toBe(403);
  });
});

test('too many requests of one sender wait', async () => {
  site = await accessSite({ access: { requestsPerMinute: 10 } });
  const statuses: number[] = [];
  for (let i = 0; i < 12; i += 1) statuses.push((await ask(`${site.origin}/health/live`)).status);
  expect(statuses).toEqual([...Array<number>(10).fill(200), 429, 429]);
  await site.close();
});
