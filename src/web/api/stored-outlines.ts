import { type Attributes, binary, number } from '../../dicom/attributes';
import { components, outline } from '../../imaging/outline';
import type { Size } from '../../imaging/plane';
import type { Polygon } from '../../imaging/polygon';
import type { Frame } from '../../pipeline/picture-frame';

/** What a stored heat map has for outlines. */
export interface StoredOutlines {
  /** In the film's pixels; null where the heat map has none that could be told. */
  readonly lungs: readonly Polygon[] | null;
  /** They are drawn into its picture, as before format version 3: nobody can hide them. */
  readonly areBurnedIn: boolean;
}

/** Lines are followed on half as many rows and columns: one of two pixels has no gap there. */
const STEP = 2;
/** A lung may have been found in pieces. */
const MOST_OUTLINES = 4;

/**
 * The outlines of the lungs as the heat map's first overlay plane has them (group 6000, PS3.3 section C.9.2).
 * @param frame where the film lies in the picture; null where that is not known
 */
export function storedOutlines(
  attributes: Attributes,
  frame: Frame | null,
  film: { readonly rows: number; readonly columns: number } | null,
): StoredOutlines {
  const bits = binary(attributes, 'OverlayData');
  if (bits === undefined) return { lungs: null, areBurnedIn: true };
  const size = { rows: number(attributes, 'OverlayRows') ?? 0, columns: number(attributes, 'OverlayColumns') ?? 0 };
  const fits = frame !== null && size.rows === frame.height && size.columns === frame.width;
  if (!fits || film === null || bits.length * 8 < size.rows * size.columns) return { lungs: null, areBurnedIn: false };
  const toFilm = ([column, row]: Polygon[number]) =>
    [((column - frame.film.left) / frame.film.width) * film.columns, (row / frame.film.height) * film.rows] as const;
  return { lungs: ringsOf(bits, size).map((ring) => ring.map(toFilm)), areBurnedIn: false };
}

/** The outer edge of each closed line, in pixels of the plane. */
function ringsOf(bits: Uint8Array, { rows, columns }: Size): Polygon[] {
  const [tall, wide] = [Math.ceil(rows / STEP), Math.ceil(columns / STEP)];
  const values = new Float32Array(tall * wide);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      if ((bits[at >> 3]! >> (at & 7)) & 1) values[Math.floor(row / STEP) * wide + Math.floor(column / STEP)] = 1;
    }
  return components({ rows: tall, columns: wide, values })
    .slice(0, MOST_OUTLINES)
    .map(({ mask }) => outline(mask, { column: STEP, row: STEP }));
}
