/**
 * Hilum's service with a RabbitMQ and an Orthanc of its own, and what demo and benchmark do with them. Needs npm
 * packages and the build.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import processes from './processes.cjs';
import { startOrthanc, startRabbit, startServer } from './servers.cjs';
import { Explained, ROOT } from './shell.mjs';

const require = createRequire(import.meta.url);

/**
 * Starts all three in `dir` and opens a queue for results before the first study can come. They end with this process.
 * `ended` rejects as soon as one of them has ended by itself.
 * @param {{dir: string, config?: object, say?: (text: string) => void}} options `config` is more of the service's
 * configuration
 */
export async function startLine({ dir, config = {}, say = () => {} }) {
  say('starting RabbitMQ');
  const rabbit = await startRabbit({ dir: path.join(dir, 'rabbitmq') });
  const withRabbit = async () => {
    say('starting Orthanc with the plug-in');
    const orthanc = await startOrthanc({ dir: path.join(dir, 'orthanc'), amqpUrl: rabbit.amqpUrl });
    const results = await listenForResults(rabbit.amqpUrl);
    say('starting the service');
    const service = await startService({
      dir: path.join(dir, 'service'),
      archiveUrl: orthanc.dicomWebUrl,
      amqpUrl: rabbit.amqpUrl,
      config,
    });
    return { rabbit, orthanc, results, service };
  };
  const line = await unlessEnded(endOf('RabbitMQ', rabbit), withRabbit());
  const { orthanc, service } = line;
  const ends = [endOf('RabbitMQ', rabbit), endOf('Orthanc', orthanc), endOf('the service', service)];
  const ended = Promise.race(ends);
  ended.catch(() => {});
  return { ...line, ended };
}

/** Rejects when the server has ended. */
async function endOf(name, server) {
  await server.ended();
  throw new Explained(`${name} has ended\n${processes.tail(server.log)}`);
}

/** How long the end of a server may be seen after a request to it has failed. */
const END_SEEN_MS = 1_000;

/** When a server ends, all that is asked of it fails: `ended` is what to tell of. */
export function unlessEnded(ended, work) {
  const told = work.catch(async (error) => {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_SEEN_MS))]);
    throw error;
  });
  return Promise.race([ended, told]);
}

/**
 * `hilum serve` as users start it, until it says that it is ready; with `until: 'live'` until it answers at all.
 * @param {{dir: string, archiveUrl: string, amqpUrl: string, config?: object, until?: 'ready' | 'live'}} options
 * `config`: more of the configuration, by section
 */
export async function startService({ dir, archiveUrl, amqpUrl, config = {}, until = 'ready' }) {
  fs.mkdirSync(dir, { recursive: true });
  const port = await processes.freePort();
  const file = path.join(dir, 'hilum.yaml');
  const whole = {
    ...config,
    archive: { url: archiveUrl, ...config.archive },
    broker: { url: amqpUrl, ...config.broker },
    http: { host: '127.0.0.1', port },
  };
  fs.writeFileSync(file, JSON.stringify(whole, null, 2));
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'the service',
    start: () =>
      processes.startChild(process.execPath, [path.join(ROOT, 'dist/cli.js'), 'serve', '--config', file], {
        log: path.join(dir, 'service.log'),
      }),
    probe: () => isHealthy(`${url}/health/${until}`),
    timeoutMs: 180_000,
    graceMs: 60_000,
  });
  return Object.assign(server, { url });
}

async function isHealthy(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** Gathers result events in a queue of its own, and looks at the dead letters without taking them. */
async function listenForResults(amqpUrl) {
  const amqp = require('amqplib');
  const connection = await amqp.connect(amqpUrl);
  connection.on('error', () => {});
  const channel = await connection.createChannel();
  await channel.assertExchange('hilum.result', 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'hilum.result', '#');
  const events = [];
  await channel.consume(queue, (message) => message && events.push(JSON.parse(message.content.toString('utf8'))), {
    noAck: true,
  });
  return { events, deadStudies: () => peekDeadLetters(connection) };
}

/**
 * @returns {Promise<Map<string, string>>} reason by Study Instance UID. What is not acknowledged goes back when the
 * channel closes.
 */
async function peekDeadLetters(connection) {
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  const found = new Map();
  for (let message = await channel.get('hilum.study.dead'); message; message = await channel.get('hilum.study.dead')) {
    found.set(studyOf(message), String(message.properties.headers?.['x-hilum-reason'] ?? 'no reason given'));
  }
  await channel.close();
  return found;
}

function studyOf(message) {
  try {
    return JSON.parse(message.content.toString('utf8')).studyInstanceUid;
  } catch {
    return '';
  }
}

/** Orthanc's REST API, as far as the demo needs it. */
export function orthancApi(url) {
  const askText = async (pathname, options) => {
    const response = await fetch(url + pathname, { signal: AbortSignal.timeout(120_000), ...options });
    const text = await response.text();
    if (!response.ok)
      throw Object.assign(new Explained(`Orthanc answers ${response.status} to ${pathname}`), {
        status: response.status,
        body: text,
      });
    return text;
  };
  const ask = async (...request) => JSON.parse(await askText(...request));
  return {
    /** Stores a file: {stored} with its place, or {refused} with the reason. */
    async store(bytes) {
      try {
        const sent = await ask('/instances', { method: 'POST', body: bytes });
        return sent.Status === 'Success'
          ? { stored: { ...(await place(ask, sent)), sopClassUid: await sopClass(askText, sent) } }
          : { refused: `${sent.Status}: Orthanc has an object with this SOP Instance UID`, id: sent.ID };
      } catch (error) {
        if (error.status === undefined) throw error;
        return { refused: refusal(error) };
      }
    },
    /** Whether nothing came of any study within Orthanc's StableAge. */
    isStable: async () => (await ask('/studies?expand')).every(({ IsStable }) => IsStable),
    /** Whether an object is there. */
    has: async (sopInstanceUid) =>
      (await ask('/tools/lookup', { method: 'POST', body: sopInstanceUid })).some(({ Type }) => Type === 'Instance'),
  };
}

async function place(ask, { ID, ParentSeries, ParentStudy }) {
  const [instance, series, study] = await Promise.all([
    ask(`/instances/${ID}`),
    ask(`/series/${ParentSeries}`),
    ask(`/studies/${ParentStudy}`),
  ]);
  return {
    id: ID,
    orthancStudy: ParentStudy,
    sopInstanceUid: instance.MainDicomTags.SOPInstanceUID,
    seriesInstanceUid: series.MainDicomTags.SeriesInstanceUID,
    modality: series.MainDicomTags.Modality ?? '',
    studyInstanceUid: study.MainDicomTags.StudyInstanceUID,
  };
}

/** Empty where the object has none. */
async function sopClass(askText, { ID }) {
  return (await askText(`/instances/${ID}/metadata/SopClassUid`).catch(() => '')).trim();
}

/** Without the size, so that files that were refused for one reason have one text. */
function refusal({ status, body }) {
  const said = `refused by Orthanc (${status}): ${messageOf(body).replace(/ \(size: \d+ bytes\)/, '')}`;
  return status === 404 ? `${said} (a DICOMDIR, or an object without its UIDs)` : said;
}

function messageOf(body) {
  try {
    const { Message, Details } = JSON.parse(body);
    return [Message, Details].filter(Boolean).join(', ');
  } catch {
    return body.slice(0, 200);
  }
}
