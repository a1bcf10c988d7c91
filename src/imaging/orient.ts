import type { Turn } from '../dicom/patient-orientation';
import type { Plane } from './plane';

/** Turns a plane from the stored orientation into the standard one of a frontal film, which the networks expect. */
export function upright(stored: Plane, turn: Turn): Plane {
  return turnedBy(stored, turn);
}

/** The inverse: `asStored(upright(plane, turn), turn)` equals the plane. */
export function asStored(standing: Plane, turn: Turn): Plane {
  const { transposed, mirrored, upsideDown } = turn;
  // Along the stored rows and columns the same two mirrors apply; a transposition exchanges them.
  return turnedBy(standing, transposed ? { transposed, mirrored: upsideDown, upsideDown: mirrored } : turn);
}

function turnedBy(plane: Plane, { transposed, mirrored, upsideDown }: Turn): Plane {
  if (!transposed && !mirrored && !upsideDown) return plane;
  const { rows, columns, values } = plane;
  const [height, width] = transposed ? [columns, rows] : [rows, columns];
  const turned = new Float32Array(values.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [down, across] = [upsideDown ? height - 1 - row : row, mirrored ? width - 1 - column : column];
      turned[row * width + column] = values[transposed ? across * columns + down : down * columns + across]!;
    }
  }
  return { rows: height, columns: width, values: turned };
}
