import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMeasures } from '../../src/app/measures';
import { parseConfig } from '../../src/config/config';
import { readManifest } from '../../src/model/manifest';
import type { Broker } from '../../src/queue/broker';
import { recordingLog } from '../support/records/logs';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'hilum-measures-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('counts of drift that can not be read leave that out, and all other metrics are served', async () => {
  const config = parseConfig({
    archive: { url: 'http://localhost/' },
    broker: { url: 'amqp://localhost' },
    state: { dir },
  });
  const classifier = readManifest('models/findings-lite0');
  const broker = {
    state: () => 'connected',
    depths: async () => ({}),
    ages: async () => ({}),
    sinkDepths: async () => [],
  } as unknown as Broker;
  const { metrics, drift } = openMeasures(config, { classifier, broker, sinks: [], turnaround: null }, recordingLog());
  expect(drift()).not.toBeNull();
  expect(await metrics.text()).toContain('hilum_drift_films{');
  rmSync(join(dir, 'drift'), { recursive: true, force: true });
  writeFileSync(join(dir, 'drift'), 'no folder');
  expect(drift()).toBeNull();
  const served = await metrics.text();
  expect(served).not.toContain('hilum_drift_films{');
  expect(served).toContain('hilum_queue_age_seconds');
});
