/** A thread that draws the films it is given and writes each in its transfer syntax. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { workerData } from 'node:worker_threads';
import { ROOT } from '../../lib/shell.mjs';
import { transcoded } from './transcode.mjs';

const require = createRequire(import.meta.url);
const { writeAtomicallySync } = require(path.join(ROOT, 'dist/base/atomic-file.js'));
const { syntheticDicom } = require(path.join(ROOT, 'dist/objects/synthetic-film.js'));
const RAW = '1.2.840.10008.1.2.1';

for (const { film, syntax, file } of workerData) {
  const drawn = syntheticDicom(film);
  // A film that is there is not drawn again: it is whole.
  writeAtomicallySync(file, syntax === RAW ? drawn : transcoded(drawn, syntax), { flush: false });
}
