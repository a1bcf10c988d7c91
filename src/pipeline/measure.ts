import type { Plane } from '../imaging/plane';
import { describeLungs } from './lungs';
import type { FilmMeasures } from './measures';
import type { Admission, PreprocessedFilm } from './stage';

/** @param probability of the classifier; null where the film was refused before */
export function measuresOf(
  film: PreprocessedFilm,
  { view, outOfDistribution, lungs }: Admission,
  probability: number | null,
): FilmMeasures {
  return {
    ...(view === null ? {} : { lateralProbability: view.lateralProbability }),
    ...greyOf(film.normalised),
    ...(outOfDistribution === null ? {} : { unlike: outOfDistribution.probability }),
    ...(lungs === null
      ? {}
      : { lungFraction: lungs.lungFraction, lungCertainty: describeLungs(lungs, film.turn).meanProbability }),
    ...(probability === null ? {} : { probability }),
  };
}

/** Mean and standard deviation of N. */
function greyOf({ values }: Plane): { meanGrey: number; greySpread: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    meanGrey: mean,
    greySpread: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length),
  };
}
