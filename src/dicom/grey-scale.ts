/**
 * The grey scale of a picture by its own values, where the header has none: smallest and largest value of the film, and
 * padding that no Pixel Padding Value declares.
 */

/** Values in ascending order, and the number of pixels of each. */
export interface Histogram {
  readonly values: readonly number[];
  readonly counts: readonly number[];
}

/** Range of the values that belong to the film. */
export interface GreyRange {
  readonly lowest: number;
  readonly highest: number;
  /** Number of pixels with values outside of the range. */
  readonly outside: number;
}

/** The bulk of the pixels lies between these two quantiles; outside are dead detector elements, letters and markers. */
const TAIL = 0.01;
/**
 * Gap in the values, relative to the width of the bulk, from which on values beyond it do not belong to the film.
 * Larger above: the models were trained on films with white letters, whose scale must not change.
 */
const EMPTY_BELOW = 0.1;
const EMPTY_ABOVE = 0.2;
/** Values farther from the bulk than this, relative to its width, never belong to the film. */
const FARTHEST = 2.2;
/**
 * Share of the border's pixels from which on a single value can be padding; and the share from which on it is padding
 * even without a gap in the values.
 */
const BORDER_SHARE = 0.1;
const WHOLE_BORDER = 0.95;
/** Share of the picture from which on a single value is no border, but a saturated or empty picture. */
const MAX_PADDING = 0.6;
/** Smallest number of border pixels that is judged. */
const MIN_PIXELS = 1000;

/**
 * Smallest and largest value without outliers: from the bulk outwards to the first gap. Null where 98 % of the pixels
 * have one value: there is no picture.
 */
export function greyRange({ values, counts }: Histogram): GreyRange | null {
  const bulk = bulkOf({ values, counts });
  if (bulk === null) return null;
  const [low, high] = [values[bulk.first]!, values[bulk.last]!];
  const width = high - low;
  let [first, last] = [bulk.first, bulk.last];
  const near = (from: number, to: number, edge: number, empty: number) =>
    Math.abs(from - to) <= empty * width && Math.abs(edge - to) <= FARTHEST * width;
  while (first > 0 && near(values[first]!, values[first - 1]!, low, EMPTY_BELOW)) first -= 1;
  while (last < values.length - 1 && near(values[last]!, values[last + 1]!, high, EMPTY_ABOVE)) last += 1;
  const outside = sum(counts.slice(0, first)) + sum(counts.slice(last + 1));
  return { lowest: values[first]!, highest: values[last]!, outside };
}

export function isOutside(value: number, { lowest, highest }: GreyRange): boolean {
  return value < lowest || value > highest;
}

/** Neighbours with valid values that a pixel needs to be repaired: those on one side of a line. */
const MIN_NEIGHBOURS = 3;

/**
 * Replaces each outlying pixel by the mean of its valid neighbours, as detectors do with known dead elements: one white
 * dot in a lung is enough to change a network's answer. Of larger areas only the edge is replaced.
 * @returns the new values by index
 */
export function repair(
  picture: { readonly rows: number; readonly columns: number },
  of: {
    readonly valueOf: (index: number) => number;
    readonly isWrong: (index: number) => boolean;
    readonly isRight: (index: number) => boolean;
  },
): Map<number, number> {
  const { valueOf, isWrong, isRight } = of;
  const repaired = new Map<number, number>();
  for (let index = 0; index < picture.rows * picture.columns; index += 1) {
    if (!isWrong(index)) continue;
    const around = neighbours(picture, index).filter(isRight);
    if (around.length < MIN_NEIGHBOURS) continue;
    repaired.set(index, around.reduce((total, one) => total + valueOf(one), 0) / around.length);
  }
  return repaired;
}

/** Indices of the up to eight pixels around one. */
function neighbours({ rows, columns }: { readonly rows: number; readonly columns: number }, index: number): number[] {
  const [row, column] = [Math.floor(index / columns), index % columns];
  const found: number[] = [];
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r += 1)
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c += 1)
      if (r !== row || c !== column) found.push(r * columns + c);
  return found;
}

/** Indices of the 1 % and 99 % quantiles; null where they are the same. */
function bulkOf({ values, counts }: Histogram): { readonly first: number; readonly last: number } | null {
  const rank = Math.floor(TAIL * (sum(counts) - 1));
  let [first, last] = [0, values.length - 1];
  for (let below = 0; first < last && below + counts[first]! <= rank; first += 1) below += counts[first]!;
  for (let above = 0; last > first && above + counts[last]! <= rank; last -= 1) above += counts[last]!;
  return first >= last || values[first] === values[last] ? null : { first, last };
}

/** A picture of stored values. */
interface StoredPicture {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/**
 * Padding that the header does not declare: an area of one value that touches the border and either is separated from
 * all other values, or is the whole border in white. Black borders without a gap are left: collimated films have them,
 * and padding is shown black as well.
 * @param histogram of the pixels that are no declared padding
 * @param isWhite whether a value is shown brighter than another
 * @returns 1 for each pixel of it; null where there is none
 */
export function undeclaredPadding(
  picture: StoredPicture,
  histogram: Histogram,
  isWhite: (value: number, than: number) => boolean,
): { readonly mask: Uint8Array; readonly pixels: number } | null {
  if (picture.values.length < MIN_PIXELS) return null;
  const border = borderOf(picture);
  const { value, share } = mostFrequent(picture, border, new Set(histogram.values));
  if (value === undefined || share < BORDER_SHARE) return null;
  const at = histogram.values.indexOf(value);
  if (histogram.counts[at]! > MAX_PADDING * picture.values.length) return null;
  const film = greyRange(without(histogram, at));
  if (film === null || (value >= film.lowest && value <= film.highest)) return null;
  const distance = value < film.lowest ? film.lowest - value : value - film.highest;
  const apart = distance > EMPTY_BELOW * (film.highest - film.lowest);
  if (!apart && !(share >= WHOLE_BORDER && isWhite(value, film.lowest))) return null;
  return connected(picture, border, value, histogram.counts[at]!);
}

function without({ values, counts }: Histogram, at: number): Histogram {
  const others = (_: number, index: number) => index !== at;
  return { values: values.filter(others), counts: counts.filter(others) };
}

/** Indices of the outermost pixels. */
function borderOf({ rows, columns }: StoredPicture): number[] {
  const border: number[] = [];
  for (let column = 0; column < columns; column += 1) border.push(column, (rows - 1) * columns + column);
  for (let row = 1; row < rows - 1; row += 1) border.push(row * columns, (row + 1) * columns - 1);
  return border;
}

/** The most frequent value of the border, and its share. */
function mostFrequent(
  { values }: StoredPicture,
  border: readonly number[],
  eligible: ReadonlySet<number>,
): { readonly value: number | undefined; readonly share: number } {
  const counts = new Map<number, number>();
  for (const index of border) {
    const value = values[index]!;
    if (eligible.has(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const [value, count] = [...counts].reduce<readonly [number | undefined, number]>(
    (most, one) => (one[1] > most[1] ? one : most),
    [undefined, 0],
  );
  return { value, share: count / border.length };
}

/** Pixels of a value that are connected to the border along edges. @param most largest possible number of them */
function connected(
  { rows, columns, values }: StoredPicture,
  border: readonly number[],
  value: number,
  most: number,
): { readonly mask: Uint8Array; readonly pixels: number } {
  const mask = new Uint8Array(rows * columns);
  const found = new Uint32Array(most);
  let pixels = 0;
  const visit = (index: number) => {
    if (mask[index] === 1 || values[index] !== value) return;
    mask[index] = 1;
    found[pixels] = index;
    pixels += 1;
  };
  border.forEach(visit);
  for (let done = 0; done < pixels; done += 1) {
    const index = found[done]!;
    const column = index % columns;
    if (column > 0) visit(index - 1);
    if (column < columns - 1) visit(index + 1);
    if (index >= columns) visit(index - columns);
    if (index < (rows - 1) * columns) visit(index + columns);
  }
  return { mask, pixels };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
