import type { Attributes } from '../dicom/attributes';
import type { Histogram } from '../dicom/grey-scale';
import { turnOf } from '../dicom/patient-orientation';
import { pixelAspect } from '../dicom/pixel-aspect';
import type { DisplayedFilm, FilmFacts } from '../dicom/pixels';
import { mapValues, type Plane, type Size } from '../imaging/plane';
import { resampleTabled } from '../imaging/row-kernel';
import { fitted, frameFor } from './picture-frame';

/** What is kept of a film's pixels: all that comes after the decoder thread works on these. */
export interface ReducedFilm extends FilmFacts {
  /**
   * N = (x - min)/(max - min) at the models' input size, 0..1, as stored. Rows and columns change places for a film
   * that lies on its side, so that upright it has the models' size.
   */
  readonly normalised: Plane;
  /** Display values as the heat map's picture shows them, 0..1, in square pixels, as stored. */
  readonly grey: Plane;
  /** Most of the picture is plain white, or nearly all of it plain white or black. */
  readonly saturated: boolean;
}

/**
 * One pass over the film's rows: N = (x - min) / (max - min) (Arias-Garzon et al. 2021, equation 1) resampled to the
 * models' size, aspect not kept (as in the paper): the shape of the film and of its pixels is lost alike; and the film
 * in grey for its picture.
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

/** A film in grey, in square pixels, for a screen. */
export interface FilmPicture {
  /** Of the source. */
  readonly rows: number;
  readonly columns: number;
  /** Display values, 0..1, as stored. */
  readonly grey: Plane;
}

/** The film at that longest side at most. */
export function pictureOf(film: DisplayedFilm, attributes: Attributes, longest: number): FilmPicture {
  const { rows, columns } = film.facts;
  const to = fitted({ tall: rows * pixelAspect(attributes), wide: columns }, longest);
  const [grey] = resampleTabled([{ picture: film.shown, to }]);
  return { rows, columns, grey: grey! };
}

/** Rounding may leave a value a little outside of 0..1. */
function within(plane: Plane): Plane {
  return { ...plane, values: mapValues(plane.values, (value) => Math.min(1, Math.max(0, value))) };
}

/** Display values that are at an end of the scale. */
const BLACK = 0.002;
const WHITE = 0.998;
/**
 * Share of white among what is not black, and of grey in the whole picture. Of 8263 chest films the whitest has 0.20,
 * the one with least grey 0.41.
 */
const MOST_WHITE = 0.6;
const LEAST_GREY = 0.1;

function isSaturated({ values, counts }: Histogram): boolean {
  let [black, white, all] = [0, 0, 0];
  values.forEach((value, index) => {
    all += counts[index]!;
    if (value <= BLACK) black += counts[index]!;
    else if (value >= WHITE) white += counts[index]!;
  });
  const grey = all - black - white;
  return white > MOST_WHITE * (white + grey) || grey < LEAST_GREY * all;
}
