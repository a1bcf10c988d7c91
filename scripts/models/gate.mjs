/**
 * npm run gate -- --pictures DIR --out FILE.jsonl [--gate-only] [--threads N] [--limit N] [--json]: how many pictures
 * that are no films the shipped line refuses, and how many films. By pixels alone: the rules on headers are left out,
 * so are the classifier and all behind it. DIR is what `python -m hilum_training pictures` wrote; films are the frontal
 * ones of the test split of HILUM_DATA_DIR/cxr. Each check is asked of each picture, so that its own share is told too;
 * then they count in the line's order; --gate-only leaves view and lung model out. What view and lung model said is
 * kept in FILE, and a run that was stopped goes on; the gate is quick and asked each time.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { Explained, ROOT, runMain, say } from '../lib/shell.mjs';

const require = createRequire(import.meta.url);
require('../lib/typescript.cjs');
const { parse } = require('csv-parse/sync');
const { pipelineSettings, openPipeline } = require('../../src/app/pipeline.ts');
const { configSchema } = require('../../src/config/config.ts');
const { openPicture, kindOf } = require('../../src/pipeline/picture-file.ts');
const { wilson } = require('../../src/statistics/statistics.ts');
const { decode, open, refusalOf } = require('../../src/pipeline/decode.ts');
const { unboundedReader } = require('../../src/pipeline/film-reader.ts');
const { findOutOfDistribution, refuseOutOfDistribution } = require('../../src/pipeline/out-of-distribution.ts');
const { findView } = require('../../src/pipeline/infer.ts');
const { findLungs, implausible } = require('../../src/pipeline/lungs.ts');
const { preprocess } = require('../../src/pipeline/preprocess.ts');

const DATA = process.env.HILUM_DATA_DIR ?? path.join(ROOT, '../shared/data');
const FILMS = 'frontal film';
const LATERALS = 'lateral film';

async function main() {
  const { values } = parseArgs({
    options: {
      pictures: { type: 'string' },
      out: { type: 'string' },
      threads: { type: 'string', default: '1' },
      limit: { type: 'string', default: 'Infinity' },
      'gate-only': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.pictures === undefined || values.out === undefined)
    throw new Explained('usage: npm run gate -- --pictures DIR --out FILE.jsonl');
  const line = await openPipeline(
    pipelineSettings({ models: configSchema.shape.models.parse({ threads: Number(values.threads) }) }),
  );
  const named = (tasks) =>
    line
      .identity()
      .models.filter(({ task }) => tasks.includes(task))
      .map(({ id, sha256 }) => `${id} ${sha256.slice(0, 12)}`)
      .join(', ');
  const models = named(['view', 'lungs']);
  const known = readJournal(values.out, models);
  const wanted = [...films(), ...pictures(values.pictures)]
    .sort((a, b) => digest(a).localeCompare(digest(b)))
    .slice(0, Number(values.limit));
  say(`${wanted.length} pictures, ${known.size} looked at before`);
  const found = [];
  for (const [i, picture] of wanted.entries()) {
    const film = await read(fs.readFileSync(picture.path), line);
    const outOfDistribution = film && (await findOutOfDistribution(film, line.models.outOfDistribution));
    const looked = async () => ({ key: picture.key, models, ...(film && (await look(film, line, outOfDistribution))) });
    const slow = values['gate-only'] ? { view: null, lungs: null } : (known.get(picture.key) ?? (await looked()));
    if (!values['gate-only'] && !known.has(picture.key)) fs.appendFileSync(values.out, `${JSON.stringify(slow)}\n`);
    const strange = refuseOutOfDistribution(outOfDistribution, line.models.outOfDistribution, viewOf(slow));
    found.push({
      ...picture,
      ...slow,
      outOfDistribution: outOfDistribution?.probability ?? null,
      refused:
        film === null
          ? 'unread'
          : (strange?.reason ?? slow.view ?? slow.lungs ?? 'none'),
      strange,
    });
    if (i % 100 === 99) say(`${i + 1} of ${wanted.length}`);
  }
  const table = summarise(found);
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ models: named(['view', 'gate', 'lungs']), ...table }, null, 1)}\n`
      : `${named(['view', 'gate', 'lungs'])}\n${Object.entries(table)
          .map(([title, rows]) => text(title, rows))
          .join('\n')}`,
  );
  return 0;
}

/** An order that mixes all kinds, the same each time: with --limit a fair part of all is looked at. */
function digest({ key }) {
  return createHash('sha256').update(key).digest('hex');
}

function readJournal(file, models) {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return new Map(
    lines
      .map((one) => JSON.parse(one))
      .filter((found) => found.models === models)
      .map((found) => [found.key, found]),
  );
}

function films() {
  /** @type {Record<string, string>[]} */
  const rows = parse(fs.readFileSync(path.join(DATA, 'cxr/manifest.csv')), { columns: true });
  const test = rows.filter(({ split }) => split === 'test');
  return test.map(({ path: file = '', source, view }) => ({
    key: file,
    path: path.join(DATA, 'cxr', file),
    group: view === 'L' ? LATERALS : FILMS,
    kind: source,
  }));
}

function pictures(dir) {
  return JSON.parse(fs.readFileSync(path.join(dir, 'list.json'), 'utf8')).map(({ file, dicom, group, kind }) => ({
    key: file ?? dicom,
    path: dicom ? path.join(DATA, dicom) : path.join(dir, file),
    group,
    kind,
  }));
}

/** Null where it can't be decoded. */
async function read(bytes, line) {
  try {
    const kind = kindOf(bytes);
    const source = kind === 'dicom' ? await open(bytes, unboundedReader) : openPicture(bytes, kind);
    const [, , rows, columns] = line.models.view.manifest.input.shape;
    return preprocess(await decode(source, unboundedReader, { rows, columns }));
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    return null;
  }
}

/** As the pipeline hands it to the gate's refusal; frontal where nobody has looked. */
const viewOf = ({ view }) => (view === 'lateral-view' ? 'lateral' : 'frontal');

/** Reasons of view and lung check, null where they pass it. */
async function look(film, { models, plausibility }, told) {
  const { view } = await findView(film, models, told);
  const doubt = implausible(await findLungs(film, models.lungs), plausibility, film.turn);
  return { view: view === 'lateral' ? 'lateral-view' : null, lungs: doubt?.reason ?? null };
}

function summarise(found) {
  const read = found.filter(({ refused }) => refused !== 'unread');
  const noFilms = read.filter(({ group }) => ![FILMS, 'mirrored film'].includes(group));
  return {
    whole: [
      row(
        'films',
        read.filter(({ group }) => group === FILMS),
      ),
      row('no films', noFilms),
      { name: 'not decoded, left out', n: found.length - read.length },
    ],
    groups: by(read, ({ group }) => group),
    kinds: by(
      read.filter(({ group }) => group !== FILMS),
      ({ group, kind }) => `${group}: ${kind}`,
    ),
    sources: by(
      read.filter(({ group }) => group === FILMS),
      ({ kind }) => kind,
    ),
  };
}

function by(found, nameOf) {
  return [...new Set(found.map(nameOf))].map((name) =>
    row(
      name,
      found.filter((one) => nameOf(one) === name),
    ),
  );
}

function row(name, found) {
  const refused = found.filter(({ refused: why }) => why !== 'none');
  const reasons = Object.fromEntries(
    [...new Set(refused.map(({ refused: why }) => why))].map((why) => [
      why,
      refused.filter((one) => one.refused === why).length,
    ]),
  );
  const alone = {
    view: count(found, ({ view }) => view !== null),
    gate: count(found, ({ strange }) => strange !== null),
    lungs: count(found, ({ lungs }) => lungs !== null),
  };
  return {
    name,
    n: found.length,
    refused: refused.length,
    share: refused.length / found.length,
    interval95: wilson(refused.length, found.length),
    reasons,
    alone,
  };
}

const count = (found, holds) => found.filter(holds).length;

function text(title, rows) {
  const percent = (part) => (100 * part).toFixed(2);
  const line = ({ name, n, refused, share, interval95, reasons, alone }) =>
    refused === undefined
      ? `  ${name}: ${n}\n`
      : `  ${name}: ${refused} of ${n} refused, ${percent(share)} % (${interval95.map(percent).join(' to ')})  ` +
        `${JSON.stringify(reasons)} alone ${JSON.stringify(alone)}\n`;
  return `${title}\n${rows.map(line).join('')}`;
}

await runMain(main);
