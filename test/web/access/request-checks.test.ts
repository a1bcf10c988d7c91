import type { Request, Response } from 'express';
import { scryptSync } from 'node:crypto';
import { parseConfig } from '../../../src/config/config';
import { proxyOnly } from '../../../src/web/access/request-checks';
import type { Account } from '../../../src/web/access/account-store';
import type { Directory } from '../../../src/web/access/directory';
import { OneByOne, SignInLimits, TooMany } from '../../../src/web/access/limits';
import { checkPassword } from '../../../src/web/access/password-check';
import { hashPassword, isOutdated, passwordProblem, verifyPassword } from '../../../src/web/access/password';
import { Refused } from '../../../src/web/access/user';

jest.mock('../../support/password-cost', () => jest.requireActual('../../../src/web/access/password-cost'));

const http = (settings: object) =>
  parseConfig({
    archive: { url: 'http://localhost/' },
    broker: { url: 'amqp://localhost' },
    http: settings,
    access: { kind: 'local' },
  }).http;

test('behind a declared proxy nobody else may connect, but this machine', () => {
  const guard = proxyOnly(
    http({
      host: '0.0.0.0',
      trustedProxies: ['10.0.0.5', '10.2.0.0/16', 'fd00::/8'],
      publicUrl: 'https://hilum.example',
    }),
  );
  const isLetIn = (remoteAddress: string) => {
    let refused: unknown;
    void guard(
      { socket: { remoteAddress } } as unknown as Request,
      {} as unknown as Response,
      (error: unknown) => void (refused = error),
    );
    return !(refused instanceof Refused);
  };
  for (const address of ['10.0.0.5', '::ffff:10.0.0.5', '10.2.3.4', 'fd12::1', '127.0.0.1', '::1'])
    expect([address, isLetIn(address)]).toEqual([address, true]);
  for (const address of ['10.0.0.6', '::ffff:10.3.0.1', '192.168.0.1', 'fe80::1', ''])
    expect([address, isLetIn(address)]).toEqual([address, false]);
});

test('a password is hashed by scrypt with a salt of its own, and its parameters are in the hash', async () => {
  const [one, two] = [await hashPassword('a long enough secret'), await hashPassword('a long enough secret')];
  const [scheme, N, r, p, salt, key] = one.split('$');
  expect([scheme, N, r, p, one === two]).toEqual(['scrypt', '131072', '8', '1', false]);
  expect(
    scryptSync('a long enough secret', Buffer.from(salt!, 'base64'), 32, {
      N: 131072,
      r: 8,
      p: 1,
      maxmem: 2 ** 28,
    }).toString('base64'),
  ).toBe(key);
  expect([
    await verifyPassword('a long enough secret', one),
    await verifyPassword('a long enough Secret', one),
    await verifyPassword('', null),
  ]).toEqual([true, false, false]);
}, 60_000);

test('a hash with older parameters is still good, and known as older', async () => {
  const salt = Buffer.alloc(16, 7);
  const old = [
    'scrypt',
    1024,
    8,
    1,
    salt.toString('base64'),
    scryptSync('old secret words', salt, 32, { N: 1024, r: 8, p: 1 }).toString('base64'),
  ].join('$');
  expect([
    await verifyPassword('old secret words', old),
    await verifyPassword('other', old),
    isOutdated(old),
    isOutdated(await hashPassword('a long enough secret')),
  ]).toEqual([true, false, true, false]);
  expect(await verifyPassword('x', 'md5$abc')).toBe(false);
}, 60_000);

test('what a password must be', () => {
  expect(
    ['short', 'aaaaaaaaaaaaaaa', 'xx anna.meier xx', 'a long enough secret'].map(
      (password) => passwordProblem(password, 'Anna.Meier') === null,
    ),
  ).toEqual([false, false, false, true]);
});

test('tries count by account and address together, by account, and by address', async () => {
  const limits = new SignInLimits(2);
  const tries = async (username: string, address: string) =>
    limits.count(username, address).then(
      // The password was looked at, and wrong.
      () => limits.failed(username).then(() => 'counted'),
      (error: unknown) => (error instanceof TooMany ? 'refused' : 'broken'),
    );
  expect([
    await tries('a', '1'),
    await tries('a', '1'),
    await tries('a', '1'),
    await tries('a', '2'),
    await tries('b', '1'),
  ]).toEqual(['counted', 'counted', 'refused', 'counted', 'counted']);
  for (let i = 0; i < 17; i += 1) await tries('a', `other ${i}`);
  expect(await tries('a', 'one more')).toBe('refused');
  for (let i = 0; i < 17; i += 1) await tries(`account ${i}`, '1');
  expect([await tries('fresh', '1'), await tries('fresh', '9')]).toEqual(['refused', 'counted']);
});

/** Sign-ins of which one password is right; how many were looked at. */
function signIns(tries: number, slowMs: number) {
  const limits = new SignInLimits(tries, slowMs);
  const looked: string[] = [];
  const directory = {
    check: async (username: string, password: string) => {
      looked.push(password);
      return password === 'right' ? ({ username } as Account) : null;
    },
  } as unknown as Directory;
  const enter = (password: string, address: string, username = 'a') =>
    checkPassword({ limits, directory }, { username, password, address }).then(
      (account) => (account === null ? 'wrong' : 'in'),
      (error: unknown) => (error instanceof TooMany ? error.retryAfterSeconds : 'broken'),
    );
  return { enter, looked };
}

test('one address locks an account for nobody else, however often it tries', async () => {
  const { enter, looked } = signIns(3, 1);
  const tries = await Promise.all(Array.from({ length: 300 }, () => enter('guess', '10.0.0.1')));
  expect([tries.filter((one) => one === 'wrong').length, looked.length]).toEqual([3, 3]);
  expect(await enter('right', '10.0.0.1')).toBeGreaterThan(600);
  expect(await enter('right', '10.0.0.2')).toBe('in');
});

test('the addresses of an IPv6 network count as one', async () => {
  const { enter, looked } = signIns(3, 1);
  for (let i = 1; i <= 40; i += 1) await enter('guess', `2001:db8:1:2::${i}`);
  expect(looked).toHaveLength(3);
  expect(await enter('right', '2001:db8:1:3::1')).toBe('in');
});

test('tried from many addresses it is locked for strangers, never where it was signed in to before', async () => {
  const { enter, looked } = signIns(3, 1);
  expect(await enter('right', '10.0.0.1')).toBe('in');
  for (let i = 1; i <= 60; i += 1) await enter('guess', `10.1.0.${i}`);
  expect(looked).toHaveLength(31);
  expect(await enter('right', '10.2.0.1')).toBeGreaterThan(600);
  expect(await enter('right', '10.0.0.1')).toBe('in');
});

test('beyond the limits such an address is slowed: one at a time, and a wrong password takes its time', async () => {
  const slowMs = 150;
  const { enter, looked } = signIns(2, slowMs);
  await enter('right', '10.0.0.1');
  const began = performance.now();
  const tries = await Promise.all(Array.from({ length: 20 }, () => enter('guess', '10.0.0.1')));
  // Two within the limit, five that waited for each other, and the others were not looked at.
  expect([tries.filter((one) => one === 'wrong').length, looked.length]).toEqual([7, 8]);
  expect(tries.filter((one) => one === 1)).toHaveLength(13);
  expect(performance.now() - began).toBeGreaterThan(5 * slowMs * 0.9);
  expect(await enter('right', '10.0.0.1')).toBe('in');
});

test('passwords are looked at in turn by who sends them: many of one keep nobody waiting', async () => {
  const line = new OneByOne(20);
  const order: string[] = [];
  const one = (holder: string) => line.run(async () => void order.push(holder), holder);
  await Promise.all([...Array.from({ length: 20 }, () => one('attacker')), one('person')]);
  expect(order.indexOf('person')).toBeLessThanOrEqual(2);
});

test('passwords are looked at one by one, and a long line is refused', async () => {
  const line = new OneByOne(2);
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
  };
  const results = await Promise.allSettled([line.run(work), line.run(work), line.run(work)]);
  expect([results.map(({ status }) => status), most]).toEqual([['fulfilled', 'fulfilled', 'rejected'], 1]);
  await line.run(work);
});
