import type { Request, Response } from 'express';
import { scryptSync } from 'node:crypto';
import { parseConfig } from '../../../src/config/config';
import { proxyOnly } from '../../../src/web/access/gate';
import { OneByOne, SignInLimits, TooMany } from '../../../src/web/access/limits';
import { hashPassword, isOutdated, passwordProblem, verifyPassword } from '../../../src/web/access/password';
import { Refused } from '../../../src/web/access/user';

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
      () => 'counted',
      (error: unknown) => (error instanceof TooMany ? 'refused' : 'broken'),
    );
  expect([
    await tries('a', '1'),
    await tries('a', '1'),
    await tries('a', '1'),
    await tries('a', '2'),
    await tries('b', '1'),
  ]).toEqual(['counted', 'counted', 'refused', 'counted', 'counted']);
  for (let i = 0; i < 16; i += 1) await tries('a', `other ${i}`);
  expect(await tries('a', 'one more')).toBe('refused');
  for (let i = 0; i < 16; i += 1) await tries(`account ${i}`, '1');
  expect([await tries('fresh', '1'), await tries('fresh', '9')]).toEqual(['refused', 'counted']);
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
