/**
 * What is measured: processes that take study events from one exchange and publish results to another. All share one
 * RabbitMQ and one Orthanc, and each waits while another one works.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import processes from '../../lib/processes.cjs';
import { startServer } from '../../lib/servers.cjs';
import { startService } from '../../lib/service.mjs';
import { ROOT } from '../../lib/shell.mjs';
import { DEBIAN_PYTHON, NATIVE_PARTS, shippedNetworks } from './native.mjs';

const require = createRequire(import.meta.url);

/**
 * @typedef {{name: string, processes: {pid: number, log: string, url?: string, isRunning(): boolean}[]}} Contender
 * `name`: also the prefix of its exchanges; each process leads a group of its own; `url`: where it can be asked for
 * its health
 */

/**
 * Hilum's service, in so many processes.
 * @param {string} name
 * @param {number} count
 * @param {object} config what is not as it is shipped, by section
 * @param {Record<string, any>} site
 */
export async function startHilum(name, count, config, { dir, rabbit, orthanc, onStarted }) {
  const started = [];
  for (let i = 1; i <= count; i++) {
    const service = await startService({
      dir: path.join(dir, `${name}-${i}`),
      archiveUrl: orthanc.dicomWebUrl,
      amqpUrl: rabbit.amqpUrl,
      config: { ...known(config), broker: { prefix: name } },
    });
    onStarted(service);
    started.push(service);
  }
  return { name, processes: started };
}

/** The sections that this version has. */
function known(config) {
  const { configSchema } = require(path.join(ROOT, 'dist/config/config.js'));
  return Object.fromEntries(Object.entries(config).filter(([section]) => section in configSchema.shape));
}

/**
 * The same in Python, with the same networks.
 * @param {string} name
 * @param {number} count
 * @param {Record<string, any>} site
 */
export function startPeer(name, count, { file, python, ...site }) {
  const args = [file, '--models', shippedNetworks().join(','), '--threads', '1'];
  return startPython(name, count, { python, args, ...site });
}

/** The parts that nobody can leave out, without the networks. */
export function startNativeParts(name, site) {
  return startPython(name, 1, { python: DEBIAN_PYTHON, args: [NATIVE_PARTS], ...site });
}

/**
 * @param {string} name
 * @param {number} count
 * @param {Record<string, any>} site
 */
async function startPython(name, count, { python, args, dir, rabbit, orthanc, onStarted }) {
  const started = [];
  for (let i = 1; i <= count; i++) {
    const log = path.join(dir, `${name}-${i}.log`);
    const place = ['--amqp', rabbit.amqpUrl, '--dicomweb', orthanc.dicomWebUrl, '--name', name];
    const server = await startServer({
      name: `${python} ${args[0]}`,
      start: () => processes.startChild(python, [...args, ...place], { log }),
      probe: async () => fs.readFileSync(log, 'utf8').includes('ready\n'),
      timeoutMs: 120_000,
    });
    onStarted(server);
    started.push(server);
  }
  return { name, processes: started };
}
