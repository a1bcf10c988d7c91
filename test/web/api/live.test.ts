import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { StudyRow } from '../../../src/worklist/study-row';
import { fill, ListSite } from '../../support/web/list-site';

const until = async (holds: () => boolean) => {
  for (let waited = 0; waited < 10_000 && !holds(); waited += 20) await new Promise((done) => setTimeout(done, 20));
  return holds();
};

test('a request that is gone before its answer leaves nothing behind: no look at its sign-in, no stream', async () => {
  let [waiting, looks] = [0, 0];
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const site = await ListSite.open({
    parts: {
      liveRecheckMs: 20,
      access: {
        everyoneIsLocal: false,
        audit: async () => {
          waiting += 1;
          await gate;
        },
        current: async () => {
          looks += 1;
          return null;
        },
      },
    },
  });
  try {
    const headers = { 'x-test-roles': 'radiologist' };
    const asked = Array.from({ length: 15 }, () => {
      const request = httpRequest(`${site.url}/api/v1/live`, { headers, agent: false });
      request.on('error', () => {}).end();
      return request;
    });
    expect(await until(() => waiting === 15)).toBe(true);
    for (const request of asked) request.destroy();
    await new Promise((done) => setTimeout(done, 100));
    go();
    await new Promise((done) => setTimeout(done, 200));
    expect(looks).toBe(0);
    // Their places are free again.
    const again = await Promise.all(Array.from({ length: 20 }, () => site.get('/api/v1/live')));
    expect(again.map(({ status }) => status)).toEqual(Array(20).fill(200));
  } finally {
    await site.close();
  }
}, 30_000);

test('one user has twenty streams; the next is told to wait, and others are not', async () => {
  const site = await ListSite.open();
  try {
    const streams = await Promise.all(Array.from({ length: 21 }, () => site.get('/api/v1/live')));
    const statuses = streams.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 429).length,
    ]).toEqual([20, 1]);
    expect((await site.get('/api/v1/live', ['radiologist'], { 'x-test-user': 'other' })).status).toBe(200);
    await streams.find(({ status }) => status === 200)!.body!.cancel();
    let status = 429;
    for (let tries = 0; tries < 50 && status === 429; tries += 1) {
      await new Promise((done) => setTimeout(done, 20));
      ({ status } = await site.get('/api/v1/live'));
    }
    expect(status).toBe(200);
  } finally {
    await site.close();
  }
}, 30_000);

test('a page that is reloaded while the database is asked is served by one poll at a time', async () => {
  const site = await ListSite.open({ parts: { liveEveryMs: 5 } });
  try {
    let [now, most, polls, isFirstOver] = [0, 0, 0, false];
    const { changesSince } = site.worklist;
    site.worklist.changesSince = async (...of) => {
      const isFirst = (polls += 1) === 1;
      now += 1;
      if (isFirstOver) most = Math.max(most, now);
      await new Promise((done) => setTimeout(done, isFirst ? 1_500 : 100));
      now -= 1;
      isFirstOver ||= isFirst;
      return changesSince.apply(site.worklist, of);
    };
    const first = await site.get('/api/v1/live');
    expect(await until(() => polls === 1)).toBe(true);
    await first.body!.cancel();
    await new Promise((done) => setTimeout(done, 700));
    const second = await site.get('/api/v1/live');
    expect(await until(() => isFirstOver)).toBe(true);
    polls = 1;
    expect(await until(() => polls > 6)).toBe(true);
    expect(most).toBe(1);
    await second.body!.cancel();
  } finally {
    await site.close();
  }
}, 30_000);

test('a reader that does not take what it is sent is let go of', async () => {
  const site = await ListSite.open({ parts: { liveEveryMs: 10 } });
  try {
    await fill(site.worklist, 1);
    const [row] = (await site.worklist.changesSince(0)).rows as [StudyRow];
    let change = row.change;
    site.worklist.changesSince = async () => {
      const rows = Array.from({ length: 100 }, () => ({
        ...row,
        studyDescription: 'x'.repeat(20_000),
        change: (change += 1),
      }));
      return { rows, change };
    };
    const { hostname, port } = new URL(site.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write('GET /api/v1/live HTTP/1.1\r\nHost: x\r\nx-test-roles: radiologist\r\n\r\n');
    socket.pause();
    const first = change;
    await until(() => change > first + 200);
    // The list is not asked any more once nobody takes its changes.
    let [before, isOver] = [0, false];
    for (let tries = 0; tries < 100 && !isOver; tries += 1) {
      before = change;
      await new Promise((done) => setTimeout(done, 100));
      isOver = change === before;
    }
    expect(isOver).toBe(true);
    const isClosed = new Promise((done) => socket.once('close', () => done(true)));
    // A connection that the service has reset is an error to the reader.
    socket.on('error', () => undefined).resume();
    expect(await isClosed).toBe(true);
  } finally {
    await site.close();
  }
}, 30_000);
