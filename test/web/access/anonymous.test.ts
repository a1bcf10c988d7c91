import { certificate } from '../../support/servers/certificates';
import { accessSite, type AccessSite, ask, Browser, PASSWORD } from '../../support/web/access-site';

// A guess takes as long as in the service.
jest.mock('../../support/password-cost', () => jest.requireActual('../../../src/web/access/password-cost'));

/** What somebody who has not signed in can do to the service and its other users. */
let site: AccessSite;
afterEach(() => site.close());

const proxied = { host: '127.0.0.1', trustedProxies: ['127.0.0.1'], publicUrl: 'https://hilum.example' };
/** As from another machine, through the proxy. */
const from = (address: string) => ({ 'Sec-Fetch-Site': 'same-origin', 'X-Forwarded-For': address });
const oidc = { issuer: 'http://127.0.0.1:1', clientId: 'x' };

test('failures that a stranger repeats are one audit message, and a count written when the service ends', async () => {
  site = await accessSite({ access: { kind: 'both', oidc }, repeatsMs: 300_000 });
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => ask(`${site.origin}/sign-in/callback?code=x&state=y`)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
  const failures = () => site.audits().filter((xml) => xml.includes('no sign-in was begun'));
  expect(failures()).toHaveLength(1);
  await site.access.close();
  expect([failures().length, site.told('no sign-in was begun')]).toEqual([2, 60]);
});

test('messages of several accounts that one network is refused for name none of them', async () => {
  site = await accessSite({ access: { signInTries: 1 }, http: proxied, repeatsMs: 300_000 });
  const guess = (username: string, address: string) =>
    new Browser().post(`${site.origin}/sign-in`, { username, password: 'x' }, from(address));
  for (const username of ['a', 'b', 'c']) await guess(username, '10.0.0.1');
  for (const username of ['a', 'b', 'c', 'c']) expect((await guess(username, '10.0.0.1')).status).toBe(429);
  await site.access.close();
  const locked = site.audits().filter((xml) => xml.includes('EventOutcomeIndicator="8"'));
  expect(locked.map((xml) => /UserID="([^"]+)"/.exec(xml)![1])).toEqual(['local:a', 'several']);
  expect(site.told('EventOutcomeIndicator="8"')).toBe(4);
}, 60_000);

test('the pages of the sign-in are limited for each network, and one IPv6 network is one', async () => {
  site = await accessSite({ http: proxied });
  const page = async (address: string) => (await ask(`${site.origin}/sign-in`, { headers: from(address) })).status;
  const statuses: number[] = [];
  for (let i = 0; i < 130; i += 1) statuses.push(await page(`2001:db8::${(i + 1).toString(16)}`));
  expect(statuses).toEqual([...Array<number>(120).fill(200), ...Array<number>(10).fill(429)]);
  expect([await page('2001:db8:0:1::1'), await page('10.0.0.1')]).toEqual([200, 200]);
  expect((await ask(`${site.origin}/health/live`, { headers: from('2001:db8::1') })).status).toBe(200);
});

test('many guesses at once from one address keep nobody from signing in', async () => {
  site = await accessSite({ http: proxied });
  await site.directory.add({ username: 'reader', displayName: 'R', password: PASSWORD, roles: ['radiologist'] });
  let answered = 0;
  const guesses = Array.from({ length: 24 }, (_, i) =>
    new Browser()
      .post(`${site.origin}/sign-in`, { username: `account${i}`, password: 'x' }, from('10.0.0.1'))
      .then(({ status }) => ((answered += 1), status)),
  );
  await Promise.race(guesses);
  const before = answered;
  const person = await new Browser().post(
    `${site.origin}/sign-in`,
    { username: 'reader', password: PASSWORD },
    from('10.0.0.2'),
  );
  expect(person.status).toBe(303);
  expect(answered - before).toBeLessThan(12);
  const statuses = await Promise.all(guesses);
  expect([401, 429].map((status) => statuses.filter((one) => one === status).length)).toEqual([20, 4]);
}, 60_000);

test('an id of a session that is none costs no write', async () => {
  const tls = certificate();
  site = await accessSite({ http: { host: '0.0.0.0', tls: { certFile: tls.certFile, keyFile: tls.keyFile } } });
  await site.directory.add({ username: 'reader', displayName: 'R', password: PASSWORD, roles: ['radiologist'] });
  const browser = new Browser();
  await browser.post(`${site.origin}/sign-in`, { username: 'reader', password: PASSWORD });
  const stranger = new Browser();
  stranger.cookies.set(site.origin, new Map([['__Host-hilum', 'A'.repeat(43)]]));
  expect((await stranger.post(`${site.origin}/sign-out`, {})).status).toBe(303);
  expect(await site.rows('session')).toBe(1);
  expect((await browser.post(`${site.origin}/sign-out`, {})).status).toBe(303);
  expect(await site.rows('session')).toBe(0);
  tls.remove();
}, 60_000);
