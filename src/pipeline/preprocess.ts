import { turnOf } from '../dicom/patient-orientation';
import { minMax, resample } from '../imaging/plane';
import type { DecodedFilm, PreprocessedFilm } from './stage';

/**
 * The whole film at the models' input shape [1, 1, rows, columns]: N = (x - min)/(max - min), then resampled, aspect
 * not kept (as in the paper): the shape of the film and of its pixels is lost alike. Rows and columns change places for
 * a film that lies on its side.
 */
export function preprocess(
  decoded: DecodedFilm,
  [, , rows, columns]: readonly [1, 1, number, number],
): PreprocessedFilm {
  const turn = turnOf(decoded.attributes);
  const small = turn.transposed
    ? resample(minMax(decoded.image), columns, rows)
    : resample(minMax(decoded.image), rows, columns);
  return {
    decoded,
    turn,
    normalised: { ...small, values: small.values.map((value) => Math.min(1, Math.max(0, value))) },
  };
}
