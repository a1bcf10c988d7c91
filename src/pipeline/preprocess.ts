import { turnOf } from '../dicom/patient-orientation';
import type { DecodedFilm, PreprocessedFilm } from './stage';

/** N of the whole film, and how it lies: it is turned upright at each network's door. */
export function preprocess(decoded: DecodedFilm): PreprocessedFilm {
  return { decoded, turn: turnOf(decoded.attributes), normalised: decoded.image.normalised };
}
