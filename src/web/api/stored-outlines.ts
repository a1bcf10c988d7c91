import { type Attributes, binary, number } from '../../dicom/attributes';
import { components, outline } from '../../imaging/outline';
import type { Size } from '../../imaging/plane';
import type { Polygon } from '../../imaging/polygon';
import type { Frame } from '../../pipeline/picture-frame';

/** Outlines in a stored heat map. */
export interface StoredOutlines {
  /** In the film's pixels; null where the heat map has none that can be read. */
  readonly lungs: readonly Polygon[] | null;
  /** They are drawn into the picture, as before format version 3, and can't be hidden. */
  readonly areBurnedIn: boolean;
}

/** Lines are traced at half the resolution, where a line of two pixels has no gaps. */
const STEP = 2;
/** Largest number of outlines: a lung may be in several parts. */
const MAX_OUTLINES = 4;

/**
 * Outlines of the lungs from the heat map's first overlay plane (group 6000, PS3.3 section C.9.2).
 * @param frame position of the film in the picture; null where unknown
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

/** Outer edge of each closed line, in pixels of the plane. */
function ringsOf(bits: Uint8Array, { rows, columns }: Size): Polygon[] {
  const [tall, wide] = [Math.ceil(rows / STEP), Math.ceil(columns / STEP)];
  const values = new Float32Array(tall * wide);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      if ((bits[at >> 3]! >> (at & 7)) & 1) values[Math.floor(row / STEP) * wide + Math.floor(column / STEP)] = 1;
    }
  return components({ rows: tall, columns: wide, values })
    .slice(0, MAX_OUTLINES)
    .map(({ mask }) => outline(mask, { column: STEP, row: STEP }));
}
