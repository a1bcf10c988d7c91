/**
 * node scripts/models/drift-reference.mjs [--preset NAME] [--limit N] [--threads N] [--write]: counts what the shipped
 * pipeline with the models of a preset (`default`, `paper`) measures of the frontal films of the validation split
 * (HILUM_DATA_DIR/cxr); with --write into the classifier's manifest as `reference`, else on standard output. --limit
 * takes that many, in an order that mixes sources.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ROOT, runMain, say } from '../lib/shell.mjs';

const require = createRequire(import.meta.url);
require('../lib/typescript.cjs');
const { parse } = require('csv-parse/sync');
const { SHIPPED_MODELS } = require('../../src/app/installed.ts');
const { pipelineSettings, openPipeline } = require('../../src/app/pipeline.ts');
const { configSchema } = require('../../src/config/config.ts');
const { count, emptyDriftCounts } = require('../../src/monitoring/drift-store.ts');
const { openPicture } = require('../../src/pipeline/picture-file.ts');
const { unboundedReader } = require('../../src/pipeline/film-reader.ts');
const { analysePixels } = require('../../src/pipeline/pipeline.ts');

const DATA = process.env.HILUM_DATA_DIR ?? path.join(ROOT, '../shared/data');
const order = (text) => createHash('sha256').update(text).digest('hex');

async function main() {
  const { values } = parseArgs({
    options: {
      preset: { type: 'string', default: 'default' },
      limit: { type: 'string', default: 'Infinity' },
      threads: { type: 'string', default: '0' },
      write: { type: 'boolean', default: false },
    },
  });
  const { preset, threads } = values;
  const models = configSchema.shape.models.parse({ preset, threads: Number(threads) });
  const opened = await openPipeline(pipelineSettings({ models }));
  const [classifier] = opened.models.classifiers;
  if (classifier === undefined) throw new Error('the line has no classifier');
  const counts = emptyDriftCounts();
  const line = {
    ...opened,
    reader: unboundedReader,
    observer: { stage() {}, film() {}, measured: (measures) => count(counts, measures) },
  };
  /** @type {Record<string, string>[]} */
  const rows = parse(fs.readFileSync(path.join(DATA, 'cxr/manifest.csv')), { columns: true });
  const films = rows
    .filter(({ split, view }) => split === 'val' && view !== 'L')
    .map((row) => row.path ?? '')
    .sort((a, b) => order(a).localeCompare(order(b)))
    .slice(0, Number(values.limit));
  for (const [i, film] of films.entries()) {
    await analysePixels(openPicture(fs.readFileSync(path.join(DATA, 'cxr', film)), 'jpeg'), line);
    if (i % 100 === 99) say(`${i + 1} of ${films.length}`);
  }
  const named = opened.identity().models.map(({ id, version }) => `${id} ${version}`);
  const split = 'validation split, frontal films';
  const reference = { films: films.length, split, models: named, measures: counts.measures };
  if (!values.write) process.stdout.write(`${JSON.stringify(reference)}\n`);
  else write(path.join(SHIPPED_MODELS, classifier.model.manifest.id, 'manifest.json'), reference);
  return 0;
}

function write(file, reference) {
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  fs.writeFileSync(file, `${JSON.stringify({ ...manifest, reference }, null, 2)}\n`);
  say(`wrote the reference of ${reference.films} films into ${path.relative(ROOT, file)}`);
}

await runMain(main);
