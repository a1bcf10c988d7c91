/** Orthanc, RabbitMQ and the workers of a chaos run. */
import path from 'node:path';
import { startService } from '../../lib/service.mjs';
import { say } from '../../lib/shell.mjs';
import servers from '../../lib/servers.cjs';
import { startDicomWebOnly } from './dicomweb-only.mjs';

/** Both servers, and the address that workers know the archive by. `onStarted` gets each part as it runs. */
export async function startServers(dir, { events, dicomwebOnly }, onStarted) {
  say('starting RabbitMQ and Orthanc');
  const rabbit = await servers.startRabbit({ dir: path.join(dir, 'rabbitmq') });
  onStarted(rabbit);
  const orthanc = await servers.startOrthanc({
    dir: path.join(dir, 'orthanc'),
    ...(events ? { amqpUrl: rabbit.amqpUrl } : {}),
  });
  onStarted(orthanc);
  const proxy = dicomwebOnly ? await startDicomWebOnly(orthanc.url) : undefined;
  if (proxy) onStarted(proxy);
  return { rabbit, orthanc, proxy, archiveUrl: `${proxy?.url ?? orthanc.url}/dicom-web` };
}

export async function startWorkers(dir, { rabbit, orthanc, archiveUrl }, options, onStarted) {
  say(`starting ${options.workers} workers`);
  const workers = [];
  for (let i = 0; i < options.workers; i++) {
    const config = workerConfig(i, options, orthanc.url);
    // Live is enough: archive or broker may be away at that moment.
    const worker = await startService({
      dir: path.join(dir, `worker-${i}`),
      archiveUrl,
      amqpUrl: rabbit.amqpUrl,
      config,
      until: 'live',
    });
    onStarted(worker);
    workers.push(worker);
  }
  return workers;
}

/** Delays that fit a run of minutes. One worker runs the catch-up, as docs/configuration.md advises. */
function workerConfig(index, { catchUp, threads }, orthancUrl) {
  return {
    archive: { connectTimeoutMs: 5_000, responseTimeoutMs: 30_000, storeTimeoutMs: 30_000 },
    broker: { retryDelaysMs: [500, 2_000, 5_000, 15_000], retryLimit: 100 },
    models: { threads },
    catchUp:
      index === 0
        ? { kind: catchUp, orthancUrl, intervalMs: 15_000, windowDays: 2, studiesPerMinute: 6_000, queueLimit: 100 }
        : { kind: 'off' },
    state: { dir: 'state' },
    log: { level: 'debug' },
  };
}
