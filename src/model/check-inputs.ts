import { minMax, type Plane } from '../imaging/plane';
import { regionOf } from '../imaging/region';
import { drawSyntheticFilm } from '../imaging/synthetic-drawing';
import { type ModelManifest, regionsOf } from './manifest';

/** Input of a trial run. */
export interface Probe {
  readonly name: string;
  /** N of each region, 0..1, at the network's size, as in the pipeline. */
  readonly planes: readonly Plane[];
}

/**
 * Drawn frontal films. For a network that sees the lungs only (or all but them), the area outside (inside) two ovals is
 * filled as in the pipeline.
 */
export function drawnFilms(manifest: ModelManifest): Probe[] {
  return [1, 2, 3, 4].map((seed) => drawnFilm(seed, manifest));
}

function drawnFilm(seed: number, manifest: ModelManifest): Probe {
  const [, , rows, columns] = manifest.input.shape;
  const view = seed % 2 === 1 ? 'PA' : 'AP';
  const { pixels } = drawSyntheticFilm({ seed, view, rows, columns });
  const film = minMax({ rows, columns, values: Float32Array.from(pixels) });
  return { name: `drawn film ${seed} (${view})`, planes: regions(film, twoOvals(rows, columns), manifest) };
}

function regions(film: Plane, lungs: Plane, manifest: ModelManifest): Plane[] {
  return regionsOf(manifest).map((region) => regionOf(film, lungs, region, manifest.input.fill).plane);
}

/** Two dark ovals on grey: quick to make, and enough to see the form of a network's answers. */
export function plainFilm(manifest: ModelManifest): Plane[] {
  const [, , rows, columns] = manifest.input.shape;
  const ovals = twoOvals(rows, columns);
  const film = { rows, columns, values: ovals.values.map((isOval) => (isOval > 0 ? 0.2 : 0.7)) };
  return regions(film, ovals, manifest);
}

function twoOvals(rows: number, columns: number): Plane {
  return filled(rows, columns, (x, y) =>
    [0.3, 0.7].some((middle) => ((x - middle) / 0.16) ** 2 + ((y - 0.48) / 0.32) ** 2 < 1) ? 1 : 0,
  );
}

/** The worst inputs that a pipeline can produce: films without content, and content that is no film. */
export function edgeInputs(manifest: ModelManifest): Probe[] {
  const [, , rows, columns] = manifest.input.shape;
  const noise = pseudoRandom();
  const inputs: readonly (readonly [string, (x: number, y: number, i: number) => number])[] = [
    ['all 0', () => 0],
    ['all 1', () => 1],
    ['all 0.5', () => 0.5],
    ['a chess board', (_x, _y, i) => (i + Math.floor(i / columns)) % 2],
    ['one bright pixel', (_x, _y, i) => (i === Math.floor(rows / 2) * columns + Math.floor(columns / 2) ? 1 : 0)],
    ['noise', noise],
  ];
  return inputs.map(([name, at]) => {
    const plane = filled(rows, columns, at);
    return { name, planes: regionsOf(manifest).map(() => plane) };
  });
}

function filled(rows: number, columns: number, at: (x: number, y: number, i: number) => number): Plane {
  return {
    rows,
    columns,
    values: Float32Array.from({ length: rows * columns }, (_, i) =>
      at(((i % columns) + 0.5) / columns, (Math.floor(i / columns) + 0.5) / rows, i),
    ),
  };
}

/** The same in every run (linear congruential generator with the constants of Numerical Recipes). */
function pseudoRandom(): () => number {
  let state = 1;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
