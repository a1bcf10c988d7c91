import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openArchive, openReadinessArchive } from '../../src/app/archive';
import { parseConfig } from '../../src/config/config';
import { deriveUid } from '../../src/dicom/uid';
import { remembered } from '../../src/web/health';

test('a check is looked at once for all who ask within its time, and again after it', async () => {
  let [now, looks, answer] = [0, 0, null as string | null];
  const check = remembered({ name: 'x', look: async () => ((looks += 1), answer) }, 3_000, () => now);
  expect(await Promise.all(Array.from({ length: 200 }, () => check.look()))).toEqual(Array(200).fill(null));
  answer = 'away';
  now = 2_999;
  expect([await check.look(), looks]).toEqual([null, 1]);
  now = 3_000;
  expect([await check.look(), await check.look(), looks]).toEqual(['away', 'away', 2]);
});

test('a clock that is set back by hours keeps no old answer', async () => {
  let answer: string | null = null;
  const clock = jest.spyOn(Date, 'now');
  const check = remembered({ name: 'x', look: async () => answer }, 0);
  expect(await check.look()).toBeNull();
  answer = 'away';
  clock.mockReturnValue(Date.now() - 5 * 3_600_000);
  expect(await check.look()).toBe('away');
  clock.mockRestore();
});

test('a check that hangs is not asked again before it answers, and one that fails says why', async () => {
  let [now, looks] = [0, 0];
  let fail: (error: Error) => void = () => {};
  const look = () => new Promise<null>((_resolve, reject) => void ((looks += 1), (fail = reject)));
  const check = remembered({ name: 'x', look }, 3_000, () => now);
  const asked = [check.look()];
  now = 60_000;
  asked.push(check.look());
  expect(looks).toBe(1);
  fail(new Error('it is away'));
  expect(await Promise.all(asked)).toEqual(['it is away', 'it is away']);
});

test('readiness has one connection to the archive, and takes none from the analysis', async () => {
  const waiting: ServerResponse[] = [];
  let connections = 0;
  const server = createServer((_request, response) => void waiting.push(response));
  server.on('connection', () => (connections += 1));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const config = parseConfig({
    archive: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web` },
    broker: { url: 'amqp://localhost' },
  });
  const [readiness, archive] = [openReadinessArchive(config), openArchive(config)];
  const seen = async (count: number) => {
    for (let tries = 0; tries < 200 && waiting.length < count; tries += 1)
      await new Promise((done) => setTimeout(done, 10));
    return [waiting.length, connections];
  };
  try {
    const looks = Array.from({ length: 5 }, () =>
      readiness.findStudySummary(deriveUid(['readiness'])).catch(() => null),
    );
    expect(await seen(1)).toEqual([1, 1]);
    const study = archive.findStudySummary(deriveUid(['study'])).catch(() => null);
    expect(await seen(2)).toEqual([2, 2]);
    for (let answered = 0; answered < 6; answered += 1) {
      await seen(answered + 1);
      waiting[answered]!.writeHead(200, { 'Content-Type': 'application/dicom+json' }).end('[]');
    }
    await Promise.all([...looks, study]);
    expect(connections).toBe(2);
  } finally {
    await Promise.all([readiness.close(), archive.close()]);
    server.close();
  }
});
