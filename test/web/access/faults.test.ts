import { request as httpRequest } from 'node:http';
import { accessSite, type AccessSite, ask, Browser, PASSWORD } from '../../support/web/access-site';

let site: AccessSite;
beforeAll(async () => {
  site = await accessSite();
  await site.directory.add({ username: 'reader', displayName: 'R', password: PASSWORD, roles: ['radiologist'] });
});
afterAll(() => site.close());

const FORM = 'application/x-www-form-urlencoded';
const post = (path: string, body: string, headers: Record<string, string>) =>
  ask(site.origin + path, { method: 'POST', body, headers: { 'Sec-Fetch-Site': 'same-origin', ...headers } });

/** Sends the request line as it is. */
const raw = (path: string, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(site.origin);
    const request = httpRequest({ hostname, port, path, headers: { Host: host }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on('error', reject);
    request.end();
  });

test.each<[string, () => Promise<{ status: number; text: string }>, number]>([
  ['a charset that nobody knows', () => post('/sign-in', 'a=b', { 'Content-Type': `${FORM}; charset=odd` }), 415],
  [
    'an encoding that nobody knows',
    () => post('/sign-in', 'x', { 'Content-Type': FORM, 'Content-Encoding': 'odd' }),
    415,
  ],
  ['what is not gzip', () => post('/sign-in', 'x', { 'Content-Type': FORM, 'Content-Encoding': 'gzip' }), 400],
  ['a body that is too long', () => post('/sign-in', 'x'.repeat(20_000), { 'Content-Type': FORM }), 413],
  ['more fields than a form has', () => post('/sign-in', 'a&'.repeat(60), { 'Content-Type': FORM }), 413],
  ['a path that is no UTF-8', () => ask(`${site.origin}/account/users/%E0%A4%A`), 400],
  ['a path that is half an escape', () => ask(`${site.origin}/health/live%`), 400],
  ['a NUL in a path', () => ask(`${site.origin}/sign-in?returnTo=%00`), 400],
  ['a NUL in the name of an account', () => post('/sign-in', 'username=a%00b', { 'Content-Type': FORM }), 400],
  ['a bare NUL in a form', () => post('/sign-in', 'username=a\0b', { 'Content-Type': FORM }), 400],
])('%s: 4xx as JSON, and nothing of where the program stands', async (_name, send, status) => {
  const answer = await send();
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toEqual({ error: expect.stringMatching(/^This [a-z .]+$/) as string });
});

test('an invalid address is answered 404, an invalid host 400', async () => {
  expect(await raw('http://[/sign-in', 'localhost')).toBe(404);
  expect(await raw('/sign-in', 'a host[')).toBe(400);
  expect(await raw('/sign-in', 'localhost')).toBe(200);
});

test('an account name that is not allowed is answered as an unknown account', async () => {
  const answer = await new Browser().post(`${site.origin}/sign-in`, { username: 'ä\u202e', password: PASSWORD });
  expect([answer.status, answer.text.includes('is not right')]).toEqual([401, true]);
});

test('a defect is 500 without its cause, and one line in the log with where it was', async () => {
  const errors: unknown[] = [];
  const original = console.error;
  console.error = (...said: unknown[]) => void errors.push(said);
  const browser = new Browser();
  await browser.post(`${site.origin}/sign-in`, { username: 'reader', password: PASSWORD });
  const answers = [
    await browser.go(`${site.origin}/defect`, { headers: { Accept: 'application/json' } }),
    await browser.go(`${site.origin}/defect`),
  ];
  console.error = original;
  expect(answers.map(({ status }) => status)).toEqual([500, 500]);
  for (const { text } of answers) expect(text).not.toMatch(/secret|\.ts|\.js|Error/);
  expect(errors).toEqual([]);
  const lines = site.logged.filter(({ event }) => event === 'web.request-failed');
  expect(lines).toHaveLength(2);
  expect(JSON.stringify(lines)).toMatch(/RangeError at /);
  expect(JSON.stringify(lines)).not.toContain('secret');
});

test('an answer that has begun is cut off, so that nobody takes a part for the whole', async () => {
  const browser = new Browser();
  await browser.post(`${site.origin}/sign-in`, { username: 'reader', password: PASSWORD });
  await expect(browser.go(`${site.origin}/defect?late=1`)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
});

test('browsers ask for /favicon.ico by themselves: nothing there, and no way to the sign-in', async () => {
  const answer = await ask(`${site.origin}/favicon.ico`, { headers: { Accept: 'image/*' } });
  expect([answer.status, answer.text]).toEqual([204, '']);
});
