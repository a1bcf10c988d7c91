/**
 * node scripts/models/drawn-films.cjs COUNT: as many drawn frontal films on standard output, N of 224 x 224 in bytes,
 * one behind the other. A gate should let them pass, because the demonstration and the tests run on them.
 */
require('../lib/typescript.cjs');
const { drawSyntheticFilm } = require('../../src/imaging/synthetic-drawing.ts');
const { minMax, resample } = require('../../src/imaging/plane.ts');

const SIZE = 224;
/** Beside the seeds of tests and of the demonstration, which start at 1. */
const FIRST_SEED = 50_000;

for (let i = 0; i < Number(process.argv[2]); i++) {
  const [rows, columns] = i % 3 === 0 ? [448, 448] : i % 3 === 1 ? [512, 400] : [224, 224];
  const film = drawSyntheticFilm({ seed: FIRST_SEED + i, view: i % 2 ? 'AP' : 'PA', rows, columns });
  const small = resample(minMax({ rows, columns, values: Float32Array.from(film.pixels) }), SIZE, SIZE);
  process.stdout.write(Uint8Array.from(small.values, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))));
}
