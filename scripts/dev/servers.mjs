#!/usr/bin/env node
/**
 * `node scripts/dev/servers.mjs [--dir DIR]`: a RabbitMQ and an Orthanc with Hilum's plug-in on free loopback ports,
 * until Ctrl-C. Modules import startRabbit and startOrthanc from here; jest takes them from lib/servers.cjs.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import servers from '../lib/servers.cjs';
import { ensure } from './setup.mjs';
import { isMain, runMain } from '../lib/shell.mjs';

export const { startRabbit, startOrthanc } = servers;

async function main() {
  const { values } = parseArgs({ options: { dir: { type: 'string' } } });
  await ensure({ servers: true });
  const asked = new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, resolve)));
  const dir = values.dir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-servers-'));
  const rabbit = await startRabbit({ dir: path.join(dir, 'rabbitmq') });
  const orthanc = await startOrthanc({ dir: path.join(dir, 'orthanc'), amqpUrl: rabbit.amqpUrl });
  console.log(`RabbitMQ         ${rabbit.amqpUrl}`);
  console.log(`Orthanc          ${orthanc.url}/app/explorer.html`);
  console.log(`DICOMweb         ${orthanc.dicomWebUrl}`);
  console.log(
    `DICOM            127.0.0.1:${orthanc.dicomPort} ${orthanc.aet} (takes associations from the AE Title LOCAL)`,
  );
  console.log(`data and logs    ${dir}`);
  console.log('Ctrl-C stops both.');
  await asked;
  await Promise.all([orthanc.stop(), rabbit.stop()]);
  if (values.dir === undefined) fs.rmSync(dir, { recursive: true, force: true });
}

if (isMain(import.meta.url)) await runMain(main);
