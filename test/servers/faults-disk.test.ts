import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeAnswer, finds, following, nth, stores } from '../support/servers/faults';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

/** Small file systems in memory, to fill the disk of a program without changing that program. Mounting needs root. */
const isRoot = process.getuid?.() === 0;
const rootTest = isRoot ? test : test.skip;
if (!isRoot)
  console.warn(
    'SKIPPED: tests on full disks, which mount small file systems and so need root; ' +
      'that of 507 in faults-store.test.ts runs',
  );

const dir = mkdtempSync(join(tmpdir(), 'hilum-disk-'));
const [archiveDisk, stateDisk] = [join(dir, 'archive'), join(dir, 'state')];

beforeAll(async () => {
  for (const [disk, size] of [
    [archiveDisk, '16m'],
    [stateDisk, '64k'],
  ] as const) {
    mkdirSync(disk);
    if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  }
});
const site = Site.forTests({ orthanc: { config: { StorageDirectory: archiveDisk } } });
afterAll(() => {
  if (isRoot) for (const disk of [archiveDisk, stateDisk]) execFileSync('umount', ['-l', disk]);
  rmSync(dir, { recursive: true, force: true });
});

/** Fills a disk to its last byte; the function that it returns makes room again. */
function fill(disk: string): () => void {
  const ballast = join(disk, 'ballast');
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  return () => rmSync(ballast);
}

rootTest(
  'the disk of the archive is full: the study waits, and is done when there is room',
  async () => {
    const study = await site.put();
    let makeRoom = () => {};
    site.proxy.on(
      nth(1, stores(study)),
      after(async () => void (makeRoom = fill(archiveDisk))),
    );
    const worker = await site.work();
    await site.tell(study);
    const { reason } = await worker.saw('study.retry', study);
    expect(['STORE_FAILED', 'ARCHIVE_UNAVAILABLE', 'STORE_NOT_CONFIRMED']).toContain(reason);
    await until('three tries', () => worker.lines('study.retry').length >= 3);
    expect(await site.stored(study)).toEqual(['CR']);
    makeRoom();
    await site.expectOneSet(study);
  },
  90_000,
);

rootTest(
  'the disk of state.dir is full: studies are done, the log names the cause, and the cursor goes on when there is room',
  async () => {
    const makeRoom = fill(stateDisk);
    const [told, found] = [await site.put(), await site.put()];
    const worker = await site.work({
      catchUp: { kind: 'orthanc', orthancUrl: site.proxy.url, intervalMs: 500, studiesPerMinute: 6_000, windowDays: 1 },
      stateDir: stateDisk,
    });
    const failed = await until('the failure', () => worker.lines('catch-up.failed')[0]);
    expect(failed['error']).toContain('ENOSPC');
    await site.tell(told);
    await worker.saw('study.done', told);
    const ready = await worker.get('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.text).toContain(`free in ${stateDisk}`);
    makeRoom();
    await worker.saw('study.done', found);
    await site.expectOneSet(found);
    expect(await site.stored(told)).toEqual(['CR', 'OT', 'SR']);
  },
  90_000,
);

test("RabbitMQ's disk alarm: publishers are blocked, the service says so, all goes on when there is room", async () => {
  const [study, next] = [await site.put(), await site.put()];
  await site.tell(next);
  await site.tell(study);
  site.proxy.on(
    following(2, stores(next), finds(next)),
    beforeAnswer(async () => void (await site.rabbit.ctl('set_disk_free_limit', '90000GB'))),
  );
  // rabbitmqctl takes seconds to start, and the query waits for it.
  const worker = await site.work({ archive: { responseTimeoutMs: 40_000, requestTimeoutMs: 40_000 } });
  await until('the alarm', () => worker.lines('broker.blocked').length === 1, 60_000);
  const ready = await worker.get('/health/ready');
  expect(ready.status).toBe(503);
  expect(ready.text).toContain('not connected to the broker (blocked)');
  expect((await worker.get('/metrics')).text).toContain('hilum_broker_state{state="blocked"} 1\n');
  await site.rabbit.ctl('set_disk_free_limit', '50MB');
  await until('the end of the alarm', () => worker.lines('broker.unblocked').length === 1);
  await until('the service is ready', async () => (await worker.get('/health/ready')).status === 200);
  await worker.saw('study.done', next);
  await site.expectOneSet(study);
  expect(await site.stored(next)).toEqual(['CR', 'OT', 'SR']);
}, 120_000);
