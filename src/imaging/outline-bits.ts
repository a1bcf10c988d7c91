import { overlayLength } from '../dicom/overlay';
import type { Size } from './plane';
import type { Polygon } from './polygon';

/** Side of the square brush (pixels). */
const BRUSH = 2;

/** A part of a picture (pixels), outside of which nothing is drawn. */
export interface DrawingArea {
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Closed lines as one bit per pixel, row by row without padding, the first pixel in the lowest bit (PS3.5 section
 * 8.1.2), filled up to whole 16-bit words.
 * @param rings in pixels of the picture
 */
export function outlineBits(rings: readonly Polygon[], { rows, columns }: Size, area: DrawingArea): Uint8Array {
  const bits = new Uint8Array(overlayLength({ rows, columns }));
  const dot = (column: number, row: number) => {
    for (let y = Math.max(0, row); y < Math.min(area.height, row + BRUSH); y++)
      for (let x = Math.max(area.left, column); x < Math.min(area.left + area.width, column + BRUSH); x++) {
        const at = y * columns + x;
        bits[at >> 3]! |= 1 << (at & 7);
      }
  };
  for (const ring of rings)
    ring.forEach((corner, i) => drawLine(corner, ring[(i + 1) % ring.length]!, (x, y) => dot(x - 1, y - 1)));
  return bits;
}

/** Draws each pixel of a straight line, both ends included. */
function drawLine(
  [fromX, fromY]: Polygon[number],
  [toX, toY]: Polygon[number],
  dot: (column: number, row: number) => void,
): void {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY))));
  for (let step = 0; step <= steps; step++)
    dot(Math.round(fromX + ((toX - fromX) * step) / steps), Math.round(fromY + ((toY - fromY) * step) / steps));
}
