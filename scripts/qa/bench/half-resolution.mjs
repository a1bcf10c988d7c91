/**
 * --half-resolution: what `decode.jpeg2000HalfResolution` changes, on drawn films of a hospital's size and on the real
 * ones of HILUM_DATA_DIR, each as JPEG 2000 (lossless, where it is not JPEG 2000 already).
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from '../../lib/shell.mjs';
import { SYNTAXES } from './films.mjs';
import { table } from './table.mjs';
import { transcoded } from './transcode.mjs';

const require = createRequire(import.meta.url);
const dist = (name) => require(path.join(ROOT, 'dist', name));
const DRAWN = 8;
/** JPEG 2000 lossless, and lossy (PS3.6 table A-1). */
const JPEG_2000 = [SYNTAXES.jpeg2000, '1.2.840.10008.1.2.4.91'];

/** @returns {Promise<{result: object, lines: string[]}>} by group of films: differences of the probability */
export async function benchHalfResolution({ films, real }) {
  const { pipelineSettings, openPipeline } = dist('app/pipeline.js');
  const line = await openPipeline(pipelineSettings());
  const groups = { drawn: films.files('jpeg2000', DRAWN), real: real.map(({ file }) => file) };
  const result = {};
  for (const [group, files] of Object.entries(groups)) {
    const rows = [];
    for (const file of files) rows.push(await compare(fs.readFileSync(file), line));
    result[group] = summaryOf(rows);
  }
  await line.reader.close();
  return { result, lines: halfTable(result) };
}

/** One film whole and at half resolution; null where it is decoded whole, for its size or its header. */
async function compare(bytes, line) {
  const { readPart10 } = dist('dicom/read.js');
  const { readerInThisThread } = dist('pipeline/film-reader.js');
  const { analyseFilm } = dist('pipeline/pipeline.js');
  const film = JPEG_2000.includes(readPart10(bytes).transferSyntaxUid) ? bytes : asJpeg2000(bytes);
  if (film === null) return null;
  const seen = {};
  for (const resolution of ['whole', 'half']) {
    const started = process.cpuUsage();
    const outcome = await analyseFilm(film, { ...line, reader: readerInThisThread(resolution) });
    const { user, system } = process.cpuUsage(started);
    seen[resolution] = { outcome, cpuSeconds: (user + system) / 1e6 };
  }
  return rowOf(seen.whole, seen.half);
}

/** Null for one with a header that can't be written anew. */
function asJpeg2000(bytes) {
  try {
    return transcoded(bytes, SYNTAXES.jpeg2000);
  } catch {
    return null;
  }
}

function rowOf(whole, half) {
  const remarks = half.outcome.explained?.inferred.preprocessed.decoded.image.remarks ?? half.outcome.remarks ?? [];
  if (!remarks.some(({ kind }) => kind === 'half-resolution')) return null;
  const findings = [whole, half].map(({ outcome }) => outcome.explained?.findings[0].finding);
  return {
    isSameOutcome: whole.outcome.outcome === half.outcome.outcome && findings[0]?.atOrAbove === findings[1]?.atOrAbove,
    difference: findings.every(Boolean) ? Math.abs(findings[0].probability - findings[1].probability) : undefined,
    savedCpuSeconds: whole.cpuSeconds - half.cpuSeconds,
  };
}

function summaryOf(rows) {
  const halved = rows.filter((row) => row !== null);
  const differences = halved.flatMap(({ difference }) => difference ?? []);
  const mean = (values) => (values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length);
  return {
    films: rows.length,
    halved: halved.length,
    otherOutcome: halved.filter(({ isSameOutcome }) => !isSameOutcome).length,
    meanDifference: mean(differences),
    mostDifference: Math.max(0, ...differences),
    savedCpuSeconds: mean(halved.map(({ savedCpuSeconds }) => savedCpuSeconds)),
  };
}

function halfTable(result) {
  const rows = Object.entries(result).map(([group, summary]) => [
    group,
    ...[summary.films, summary.halved, summary.otherOutcome].map(String),
    ...[summary.meanDifference, summary.mostDifference].map((value) => value.toFixed(4)),
    (1000 * summary.savedCpuSeconds).toFixed(0),
  ]);
  const head = ['', 'films', 'at half', 'other outcome', '|difference| mean', 'most', 'saved CPU, ms'];
  return ['probability at half resolution against the whole film', ...table([head, ...rows]), ''];
}
