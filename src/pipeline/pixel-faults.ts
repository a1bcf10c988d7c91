import { upright } from '../imaging/orient';
import { type Plane, resample } from '../imaging/plane';
import { plainRefusal } from './refusal';
import type { PreprocessedFilm, Refusal } from './stage';

/**
 * Refuses pictures with faults that can be computed; a network that never saw such a fault would give a wrong reason.
 * (Constant pictures are found by the decoder.)
 */
export function pixelFault(film: PreprocessedFilm): Refusal | null {
  if (film.decoded.image.saturated) return SATURATED;
  return likenessToChest(upright(film.normalised, film.turn)) <= INVERTED_LIKENESS ? INVERTED : null;
}

const SATURATED = plainRefusal('saturated-image');
const INVERTED = plainRefusal('inverted-image');

/**
 * Mean of N over 4946 frontal films of the training split in 8 x 8 fields, minus the overall mean: dark lungs and air,
 * bright mediastinum and abdomen.
 */
const CHEST: readonly number[] = [
  [-0.29, -0.23, -0.15, 0.04, 0.04, -0.14, -0.22, -0.28],
  [-0.09, -0.01, -0.06, 0.01, 0.02, -0.07, -0.02, -0.09],
  [-0.02, 0.02, -0.13, 0.0, 0.04, -0.13, 0.0, -0.03],
  [-0.06, -0.01, -0.13, 0.07, 0.12, -0.1, -0.01, -0.07],
  [-0.11, -0.02, -0.07, 0.14, 0.2, 0.01, -0.02, -0.11],
  [-0.15, 0.01, 0.05, 0.2, 0.24, 0.11, 0.0, -0.15],
  [-0.18, 0.09, 0.2, 0.27, 0.27, 0.19, 0.06, -0.19],
  [-0.19, 0.14, 0.26, 0.29, 0.29, 0.24, 0.12, -0.2],
].flat();
const FIELDS = 8;

/**
 * Correlation with {@link CHEST} at and below which a chest film counts as inverted. Of 8263 films two are below, both
 * inverted; the next one has -0.19. Of inverted frontal films, 98 in 100 are below.
 */
const INVERTED_LIKENESS = -0.35;

/** Correlation of a film with the mean frontal film, -1..1; 0 where it is flat. */
function likenessToChest(standing: Plane): number {
  const { values } = resample(standing, FIELDS, FIELDS);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [product, square, norm] = [0, 0, 0];
  values.forEach((value, at) => {
    product += (value - mean) * CHEST[at]!;
    square += (value - mean) ** 2;
    norm += CHEST[at]! ** 2;
  });
  return square === 0 ? 0 : product / Math.sqrt(square * norm);
}
