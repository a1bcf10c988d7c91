/**
 * node scripts/models/drawn-films.cjs COUNT [lateral]: as many drawn films, frontal or lateral, on standard output, N
 * of 224 x 224 in bytes, one behind the other. The first check learns what they are
 * (training/src/hilum_training/data/drawn.py), because the demonstration and the tests run on them.
 */
require('../lib/typescript.cjs');
const { drawSyntheticFilm } = require('../../src/imaging/synthetic-drawing.ts');
const { minMax, resample } = require('../../src/imaging/plane.ts');

const SIZE = 224;
/** Beside the seeds of tests and of the demonstration, which start at 1. */
const FIRST_SEED = 50_000;
const SIZES = [
  [448, 448],
  [512, 400],
  [224, 224],
];
const [count, view] = process.argv.slice(2);

for (let i = 0; i < Number(count); i++) {
  const [rows, columns] = /** @type {[number, number]} */ (SIZES[i % SIZES.length]);
  const frontal = i % 2 ? 'AP' : 'PA';
  const film = drawSyntheticFilm({ seed: FIRST_SEED + i, view: view === 'lateral' ? 'LL' : frontal, rows, columns });
  const small = resample(minMax({ rows, columns, values: Float32Array.from(film.pixels) }), SIZE, SIZE);
  process.stdout.write(Uint8Array.from(small.values, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))));
}
