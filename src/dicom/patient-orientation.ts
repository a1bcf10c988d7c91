import { type Attributes, texts } from './attributes';

/**
 * Orientation of a frontal film's stored pixels, against the standard one: rows to the patient's left, columns to the
 * feet (L\F), where all three are false.
 */
export interface Turn {
  /** Rows run along the body and columns across it. */
  readonly transposed: boolean;
  /** The direction across the body runs to the patient's right. */
  readonly mirrored: boolean;
  /** The direction along the body runs to the head. */
  readonly upsideDown: boolean;
}

export const STANDARD: Turn = { transposed: false, mirrored: false, upsideDown: false };

/** Both directions of Patient Orientation (0020,0020); undefined unless they are valid by PS3.3 section C.7.6.1.1.1. */
export function patientOrientation(attributes: Attributes): readonly [row: string, column: string] | undefined {
  const [row, column, ...more] = texts(attributes, 'PatientOrientation');
  if (row === undefined || column === undefined || more.length > 0) return undefined;
  const [first, second] = [axis(row), axis(column)];
  return first === undefined || second === undefined || first === second ? undefined : [row, column];
}

/**
 * Orientation of the stored pixels. Of a direction between two axes ("LF") the first letter counts: PS3.3 section
 * C.7.6.1.1.1 puts the principal one first. {@link STANDARD} where the film states no valid orientation, or one of
 * another plane than the frontal one (A\F, a lateral film).
 *
 * Other attributes are not used: Field of View Rotation (0018,7032) and Horizontal Flip (0018,7034) tell how the stored
 * pixels were turned against the detector (PS3.3 section C.8.11.4), which is done already; View Position (0018,5101)
 * tells the direction of the beam.
 */
export function turnOf(attributes: Attributes): Turn {
  const directions = patientOrientation(attributes);
  if (directions === undefined || directions.some((direction) => axis(direction) === AXES.A)) return STANDARD;
  const principal = directions.map((direction) => direction[0]!);
  return {
    transposed: axis(directions[0]) === AXES.H,
    mirrored: principal.includes('R'),
    upsideDown: principal.includes('H'),
  };
}

/** Body axis by letter. */
const AXES: Readonly<Record<string, string>> = {
  L: 'across',
  R: 'across',
  H: 'along',
  F: 'along',
  A: 'through',
  P: 'through',
};

/** The axes of a direction, or undefined: up to three letters, none twice and no two of one axis. */
function axis(direction: string): string | undefined {
  const axes = Array.from(direction, (letter) => AXES[letter]);
  return axes.length <= 3 && !axes.includes(undefined) && new Set(axes).size === axes.length ? axes[0] : undefined;
}
