/** A thread that draws the films it is given and writes each in its transfer syntax. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { workerData } from 'node:worker_threads';
import { ROOT } from '../../lib/shell.mjs';
import { transcoded } from './transcode.mjs';

const { syntheticDicom } = createRequire(import.meta.url)(path.join(ROOT, 'dist/objects/synthetic-film.js'));
const RAW = '1.2.840.10008.1.2.1';

for (const { film, syntax, file } of workerData) {
  const drawn = syntheticDicom(film);
  fs.writeFileSync(`${file}.part`, syntax === RAW ? drawn : transcoded(drawn, syntax));
  fs.renameSync(`${file}.part`, file);
}
