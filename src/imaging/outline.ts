import type { Plane } from './plane';
import type { Polygon } from './polygon';

/** A connected region (4-neighbourhood) of a mask. */
export interface Component {
  /** Size in pixels of the mask. */
  readonly area: number;
  readonly mask: Plane;
}

/** Connected regions of the pixels above zero, the largest first. */
export function components({ rows, columns, values }: Plane): Component[] {
  const labels = new Int32Array(values.length);
  const areas: number[] = [];
  for (let start = 0; start < values.length; start++)
    if (values[start]! > 0 && labels[start] === 0)
      areas.push(flood({ columns, values }, labels, start, areas.length + 1));
  // Computed on demand, as noise has thousands of regions.
  const maskOf = (label: number): Plane => {
    const mask = new Float32Array(labels.length);
    for (let at = 0; at < labels.length; at++) if (labels[at] === label) mask[at] = 1;
    return { rows, columns, values: mask };
  };
  return areas
    .map((area, index) => ({
      area,
      get mask() {
        return maskOf(index + 1);
      },
    }))
    .sort((a, b) => b.area - a.area);
}

/** Labels all pixels connected to `start`. @returns their number */
function flood(
  { columns, values }: Pick<Plane, 'columns' | 'values'>,
  labels: Int32Array,
  start: number,
  label: number,
): number {
  const stack = [start];
  labels[start] = label;
  const visit = (at: number) => {
    if (!(values[at]! > 0) || labels[at] !== 0) return;
    labels[at] = label;
    stack.push(at);
  };
  let area = 0;
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    area++;
    const column = at % columns;
    if (column > 0) visit(at - 1);
    if (column < columns - 1) visit(at + 1);
    if (at >= columns) visit(at - columns);
    if (at + columns < values.length) visit(at + columns);
  }
  return area;
}

/**
 * Outer outline of a connected region as a closed polygon (the first point is repeated at the end), along the edges of
 * its pixels, simplified.
 * @param scale source pixels per mask pixel: the polygon is in source-pixel coordinates (PS3.3 section C.10.5)
 * @param tolerance largest distance between the outline and its simplification, in mask pixels
 */
export function outline(region: Plane, scale: { column: number; row: number }, tolerance = 0.75): Polygon {
  const ring = simplify(trace(region), tolerance);
  return ring.map(([column, row]) => [column * scale.column, row * scale.row] as const);
}

type Point = readonly [column: number, row: number];

/** Follows the outer border from the topmost, leftmost pixel, with the region on the right hand. */
function trace({ rows, columns, values }: Plane): Point[] {
  const inside = (column: number, row: number) =>
    column >= 0 && row >= 0 && column < columns && row < rows && values[row * columns + column]! > 0;
  const first = values.findIndex((value) => value > 0);
  if (first < 0) throw new RangeError('an empty region has no outline');
  const start: Point = [first % columns, Math.floor(first / columns)];
  const points: Point[] = [start];
  let [column, row] = start;
  let heading = 0; // 0 right, 1 down, 2 left, 3 up
  do {
    const [dc, dr] = STEPS[heading]!;
    column += dc;
    row += dr;
    points.push([column, row]);
    heading = turn(column, row, heading, inside);
  } while (column !== start[0] || row !== start[1]);
  return points;
}

const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;
/** Offsets from a corner to the pixel ahead on the left and ahead on the right, by heading. */
const AHEAD = [
  { left: [0, -1], right: [0, 0] },
  { left: [0, 0], right: [-1, 0] },
  { left: [-1, 0], right: [-1, -1] },
  { left: [-1, -1], right: [0, -1] },
] as const;

function turn(column: number, row: number, heading: number, inside: (column: number, row: number) => boolean): number {
  const { left, right } = AHEAD[heading]!;
  const rightIsIn = inside(column + right[0], row + right[1]);
  // 4-neighbourhood: where two pixels touch at a corner only, the border stays with the pixel on the right.
  if (!rightIsIn) return (heading + 1) % 4;
  return inside(column + left[0], row + left[1]) ? (heading + 3) % 4 : heading;
}

/** Ramer-Douglas-Peucker on a closed ring: split at the point farthest from the start, then simplify both halves. */
function simplify(ring: Point[], tolerance: number): Point[] {
  const far = ring.reduce(
    (best, point, i) => (distance(point, ring[0]!, ring[0]!) > distance(ring[best]!, ring[0]!, ring[0]!) ? i : best),
    0,
  );
  const head = reduce(ring.slice(0, far + 1), tolerance);
  const tail = reduce(ring.slice(far), tolerance);
  const simple = [...head, ...tail.slice(1)];
  // A tiny region would become a line: its border is kept unsimplified.
  return simple.length < 4 ? ring : simple;
}

function reduce(line: Point[], tolerance: number): Point[] {
  if (line.length < 3) return line;
  const first = line[0]!;
  const last = line[line.length - 1]!;
  let worst = 0;
  let at = 0;
  for (let i = 1; i < line.length - 1; i++) {
    const d = distance(line[i]!, first, last);
    if (d > worst) [worst, at] = [d, i];
  }
  if (worst <= tolerance) return [first, last];
  return [...reduce(line.slice(0, at + 1), tolerance), ...reduce(line.slice(at), tolerance).slice(1)];
}

function distance([x, y]: Point, [x1, y1]: Point, [x2, y2]: Point): number {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length === 0) return Math.hypot(x - x1, y - y1);
  return Math.abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length;
}
