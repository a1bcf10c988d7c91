import { request as httpRequest } from 'node:http';
import { ListSite } from '../../support/web/list-site';

let site: ListSite;
let [running, most, done] = [0, 0, 0];
let waiting: (() => void)[] = [];

beforeEach(async () => {
  [running, most, done] = [0, 0, 0];
  waiting = [];
  site = await ListSite.open();
  site.worklist.page = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((go) => waiting.push(go));
    running -= 1;
    done += 1;
    return { rows: [], next: null };
  };
});
afterEach(() => site.close());

const pause = (ms = 100) => new Promise((resolve) => setTimeout(resolve, ms));
const ask = (user: string) => site.get('/api/v1/studies', ['radiologist'], { 'x-test-user': user });
const until = async (holds: () => boolean) => {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) await pause(10);
};
const goOn = async (isOver: () => boolean) => {
  for (let tries = 0; tries < 500 && !isOver(); tries += 1) {
    waiting.splice(0).forEach((go) => go());
    await pause(5);
  }
};

test('two queries of a user run at a time, other users do not wait for them, and too many are refused', async () => {
  const asked = Array.from({ length: 40 }, () => ask('a'));
  await until(() => running === 2);
  await pause(200);
  expect(running).toBe(2);
  const other = ask('b');
  await until(() => running === 3);
  expect(running).toBe(3);
  await goOn(() => done === 33);
  const statuses = (await Promise.all([...asked, other])).map(({ status }) => status);
  expect([200, 429].map((status) => statuses.filter((one) => one === status).length)).toEqual([33, 8]);
  expect(most).toBe(3);
});

test('a query that its client has left counts until it ends, and one that still waited is not run', async () => {
  const left = Array.from({ length: 10 }, () => {
    const request = httpRequest(`${site.url}/api/v1/studies`, {
      headers: { 'x-test-roles': 'radiologist' },
      agent: false,
    });
    request.on('error', () => {}).end();
    return request;
  });
  await until(() => running === 2);
  await pause();
  for (const request of left) request.destroy();
  await pause();
  const own = site.get('/api/v1/studies');
  await pause();
  expect(running).toBe(2);
  await goOn(() => done === 3);
  expect((await own).status).toBe(200);
  expect([most, done]).toEqual([2, 3]);
});
