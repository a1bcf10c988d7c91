/**
 * node scripts/models/compare-models.mjs FOLDER_A FOLDER_B [--films TRIAL.json] [--threads N] [--json]: two model
 * folders of one task on the same films, turn by turn in one run: how far the answers differ, AUC and accuracy where
 * the films have labels, how well the heat maps agree, and the ratio of their times. TRIAL.json names `films`, a file
 * beside it of N as float32, and their `labels`, true or false each; without it, drawn films.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ensure } from '../dev/setup.mjs';
import { Explained, ROOT, isMain, runMain } from '../lib/shell.mjs';

const require = createRequire(import.meta.url);
const dist = (name) => require(path.join(ROOT, 'dist', name));
const DRAWN = 16;

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      films: { type: 'string' },
      threads: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length !== 2)
    throw new Explained(
      'usage: node scripts/models/compare-models.mjs FOLDER_A FOLDER_B [--films TRIAL.json] [--threads N] [--json]',
    );
  await ensure();
  const models = [];
  for (const folder of positionals.map((name) => path.resolve(name)))
    models.push(
      await dist('model/session.js').openModel(path.dirname(folder), path.basename(folder), Number(values.threads)),
    );
  const { films, labels } =
    values.films === undefined ? drawnFilms(models[0].manifest) : trialFilms(values.films, models[0].manifest);
  const result = compare(await runBoth(models, films), labels, models);
  process.stdout.write(
    values.json
      ? `${JSON.stringify(result)}\n`
      : Object.entries(result)
          .map(([name, value]) => `${name}: ${value}\n`)
          .join(''),
  );
  for (const { network } of models) await network.close();
}

function drawnFilms({
  input: {
    shape: [, , rows, columns],
  },
}) {
  const { drawSyntheticFilm } = dist('imaging/synthetic-drawing.js');
  const { minMax } = dist('imaging/plane.js');
  const films = Array.from({ length: DRAWN }, (_, i) =>
    minMax({
      rows,
      columns,
      values: Float32Array.from(drawSyntheticFilm({ seed: i + 1, view: i % 2 ? 'AP' : 'PA', rows, columns }).pixels),
    }),
  );
  return { films, labels: null };
}

function trialFilms(
  file,
  {
    input: {
      shape: [, , rows, columns],
    },
  },
) {
  const { films, labels } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const values = new Float32Array(Uint8Array.from(fs.readFileSync(path.join(path.dirname(file), films))).buffer);
  if (values.length !== labels.length * rows * columns)
    throw new Explained(`${films} does not hold ${labels.length} films of ${rows} x ${columns}`);
  return {
    films: labels.map((_, i) => ({
      rows,
      columns,
      values: values.subarray(i * rows * columns, (i + 1) * rows * columns),
    })),
    labels,
  };
}

/** Turn by turn, the first now one and now the other: what else the machine does falls on both. */
async function runBoth(models, films) {
  for (const model of models) await model.predict(films[0]);
  const answers = films.map(() => []);
  for (const [i, film] of films.entries()) {
    for (const which of i % 2 ? [1, 0] : [0, 1]) {
      const started = performance.now();
      const { probability, cams } = await models[which].predict(film);
      answers[i][which] = { probability, cam: cams?.[0]?.[0] ?? null, seconds: (performance.now() - started) / 1000 };
    }
  }
  return answers;
}

/**
 * @param {any[]} answers of both to each film
 * @param {number[] | undefined} labels
 * @param {any[]} models
 */
function compare(answers, labels, [{ manifest, network }, { network: other }]) {
  const single = answers.every(([a]) => a.probability.length === 1);
  const differences = answers.map(([a, b]) => greatestDifference(a.probability, b.probability));
  const threshold = dist('model/manifest.js').thresholdOf(manifest);
  const seconds = [0, 1].map((which) => median(answers.map((pair) => pair[which].seconds)));
  return {
    films: answers.length,
    engines: `${network.engine} against ${other.engine}`,
    greatestDifference: Math.max(...differences),
    meanDifference: differences.reduce((a, b) => a + b, 0) / differences.length,
    ...(single
      ? {
          otherSideOfTheThreshold: answers.filter(
            ([a, b]) => a.probability[0] >= threshold !== b.probability[0] >= threshold,
          ).length,
        }
      : { pixelsOnTheOtherSide: share(answers, threshold) }),
    ...(answers[0][0].cam && answers[0][1].cam ? compareMaps(answers.map(([a, b]) => [a.cam, b.cam])) : {}),
    ...(labels && single
      ? {
          aucA: auc(
            answers.map(([a]) => a.probability[0]),
            labels,
          ),
          aucB: auc(
            answers.map(([, b]) => b.probability[0]),
            labels,
          ),
          accuracyA: accuracy(answers, 0, labels),
          accuracyB: accuracy(answers, 1, labels),
        }
      : {}),
    secondsA: seconds[0],
    secondsB: seconds[1],
    timesAsFast: seconds[0] / seconds[1],
  };
}

/**
 * Class activation maps of the same films: differences, correlation over the map, and how many cells apart the hottest
 * ones lie.
 * @param {any[][]} pairs
 */
function compareMaps(pairs) {
  const correlations = pairs.map(([a, b]) => correlation(a.values, b.values));
  const apart = pairs.map(([a, b]) => distance(hottest(a), hottest(b)));
  return {
    greatestCamDifference: Math.max(
      ...pairs.map(([a, b]) => greatestDifference(a.values, b.values) / Math.max(...a.values.map(Math.abs))),
    ),
    meanCamCorrelation: mean(correlations),
    lowestCamCorrelation: Math.min(...correlations),
    sameHottestCell: mean(apart.map((cells) => (cells === 0 ? 1 : 0))),
    meanCellsApart: mean(apart),
    mostCellsApart: Math.max(...apart),
  };
}

function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function correlation(a, b) {
  const [middleA, middleB] = [mean(a), mean(b)];
  const sum = (f) => a.reduce((total, _, i) => total + f(a[i] - middleA, b[i] - middleB), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

function hottest({ columns, values }) {
  const at = values.indexOf(Math.max(...values));
  return [at % columns, Math.floor(at / columns)];
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function distance([x = NaN, y = NaN], [u = NaN, v = NaN]) {
  return Math.hypot(x - u, y - v);
}

/** At a probability of 0.5. */
function accuracy(answers, which, labels) {
  return mean(answers.map((pair, i) => (pair[which].probability[0] >= 0.5 === labels[i] ? 1 : 0)));
}

function greatestDifference(a, b) {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

function share(answers, threshold) {
  const other = answers.reduce(
    (sum, [a, b]) => sum + a.probability.filter((p, i) => p >= threshold !== b.probability[i] >= threshold).length,
    0,
  );
  return other / (answers.length * answers[0][0].probability.length);
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** The share of pairs, one film of each class, that the scores put in the right order. */
function auc(scores, labels) {
  let [right, pairs] = [0, 0];
  for (const [i, positive] of scores.entries()) {
    if (!labels[i]) continue;
    for (const [j, negative] of scores.entries()) {
      if (labels[j]) continue;
      pairs++;
      right += positive > negative ? 1 : positive === negative ? 0.5 : 0;
    }
  }
  return pairs === 0 ? null : right / pairs;
}

if (isMain(import.meta.url)) await runMain(main);
