/** A thread that draws the films it is given and writes each in its transfer syntax. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { workerData } from 'node:worker_threads';
import codecs from 'dcmjs-codecs';
import { ROOT } from '../lib/shell.mjs';

const { syntheticDicom } = createRequire(import.meta.url)(path.join(ROOT, 'dist/objects/synthetic-film.js'));
const RAW = '1.2.840.10008.1.2.1';

await codecs.NativeCodecs.initializeAsync();
for (const { film, syntax, file } of workerData) {
  const drawn = syntheticDicom(film);
  fs.writeFileSync(`${file}.part`, syntax === RAW ? drawn : transcoded(drawn, syntax));
  fs.renameSync(`${file}.part`, file);
}

function transcoded(bytes, syntax) {
  const transcoder = new codecs.Transcoder(Uint8Array.from(bytes).buffer);
  transcoder.transcode(syntax);
  return withByteFragments(Buffer.from(transcoder.getDicomPart10()));
}

/** Compressed pixel data are OB (PS3.5 section A.4); the transcoder leaves the OW of raw ones. */
function withByteFragments(bytes) {
  const at = bytes.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, ...Buffer.from('OW')]));
  if (at >= 0) bytes.write('OB', at + 4, 'latin1');
  return bytes;
}
