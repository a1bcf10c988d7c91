import { minMax, resample } from '../model/tensor';
import type { DecodedFilm, PreprocessedFilm } from './stage';

/** The whole film at the models' input shape [1, 1, rows, columns]: N = (x - min)/(max - min), then resampled, aspect not kept (as in the paper). */
export function preprocess(decoded: DecodedFilm, [, , rows, columns]: readonly [1, 1, number, number]): PreprocessedFilm {
  const small = resample(minMax(decoded.image), rows, columns);
  return { decoded, normalised: { ...small, values: small.values.map((value) => Math.min(1, Math.max(0, value))) } };
}
