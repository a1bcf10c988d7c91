import type { Attributes } from '../dicom/attributes';
import type { Histogram } from '../dicom/grey-scale';
import { turnOf } from '../dicom/patient-orientation';
import { pixelAspect } from '../dicom/pixel-aspect';
import type { DisplayedFilm, FilmFacts } from '../dicom/pixels';
import { mapValues, type Plane, type Size } from '../imaging/plane';
import { resampleTabled } from '../imaging/row-kernel';
import { fitted, frameFor } from './picture-frame';

/** The decoder thread's output: everything after it works on these reduced pixels. */
export interface ReducedFilm extends FilmFacts {
  /**
   * N = (x - min)/(max - min) at the models' input size, 0..1, in stored orientation. Rows and columns are exchanged
   * for a film that lies on its side, so that it has the models' size when upright.
   */
  readonly normalised: Plane;
  /** Display values for the heat map's picture, 0..1, in square pixels, in stored orientation. */
  readonly grey: Plane;
  /** Most of the picture is plain white, or nearly all of it is plain white or black. */
  readonly saturated: boolean;
}

/**
 * Reduces a film in one pass over its rows, to N = (x - min) / (max - min) (Arias-Garzon et al. 2021, equation 1) at
 * the models' size, without keeping the aspect ratio (as in the paper), and to grey values for its picture.
 */
export function reduce(film: DisplayedFilm, attributes: Attributes, { rows, columns }: Size): ReducedFilm {
  const { facts, histogram, shown } = film;
  const [min, max] = [histogram.values[0]!, histogram.values.at(-1)!];
  const size = turnOf(attributes).transposed ? { rows: columns, columns: rows } : { rows, columns };
  const { film: frame } = frameFor(facts.rows * pixelAspect(attributes), facts.columns);
  const [normalised, grey] = resampleTabled([
    { picture: film.mapped((value) => (value - min) / (max - min || 1)), to: size },
    { picture: shown, to: { rows: frame.height, columns: frame.width } },
  ]);
  return { ...facts, normalised: within(normalised!), grey: grey!, saturated: isSaturated(histogram) };
}

/** A film in grey, in square pixels, for the screen. */
export interface FilmPicture {
  /** Size of the source. */
  readonly rows: number;
  readonly columns: number;
  /** Display values, 0..1, in stored orientation. */
  readonly grey: Plane;
}

/** The film reduced to at most this longest side. */
export function pictureOf(film: DisplayedFilm, attributes: Attributes, longest: number): FilmPicture {
  const { rows, columns } = film.facts;
  const to = fitted({ tall: rows * pixelAspect(attributes), wide: columns }, longest);
  const [grey] = resampleTabled([{ picture: film.shown, to }]);
  return { rows, columns, grey: grey! };
}

/** Limits rounding errors to 0..1. */
function within(plane: Plane): Plane {
  return { ...plane, values: mapValues(plane.values, (value) => Math.min(1, Math.max(0, value))) };
}

/** Display values at or beyond these are plain black and plain white. */
const BLACK = 0.002;
const WHITE = 0.998;
/**
 * Share of white among the pixels that are not black, and share of grey in the whole picture. Of 8263 chest films the
 * whitest has 0.20, the one with least grey 0.41.
 */
const MAX_WHITE = 0.6;
const MIN_GREY = 0.1;

function isSaturated({ values, counts }: Histogram): boolean {
  let [black, white, all] = [0, 0, 0];
  values.forEach((value, index) => {
    all += counts[index]!;
    if (value <= BLACK) black += counts[index]!;
    else if (value >= WHITE) white += counts[index]!;
  });
  const grey = all - black - white;
  return white > MAX_WHITE * (white + grey) || grey < MIN_GREY * all;
}
