import { turnOf } from '../dicom/patient-orientation';
import type { DecodedFilm, PreprocessedFilm } from './stage';

/** N of the whole film and its orientation; it is turned upright before each network. */
export function preprocess(decoded: DecodedFilm): PreprocessedFilm {
  return { decoded, turn: turnOf(decoded.attributes), normalised: decoded.image.normalised };
}
