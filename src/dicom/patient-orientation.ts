import { type Attributes, texts } from './attributes';

/**
 * How a frontal film lies, by three questions about the stored pixels. The standard position, rows to the patient's
 * left and columns to the feet (L\F), answers no to all.
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

/**
 * The two directions of Patient Orientation (0020,0020) as they stand; undefined when they are none of PS3.3 section
 * C.7.6.1.1.1.
 */
export function patientOrientation(attributes: Attributes): readonly [row: string, column: string] | undefined {
  const [row, column, ...more] = texts(attributes, 'PatientOrientation');
  if (row === undefined || column === undefined || more.length > 0) return undefined;
  const [first, second] = [axis(row), axis(column)];
  return first === undefined || second === undefined || first === second ? undefined : [row, column];
}

/**
 * How the stored pixels lie. Of a direction between two axes ("LF") the first letter counts: PS3.3 section C.7.6.1.1.1
 * puts the principal one first. {@link STANDARD} as well where the film does not say, says what is no orientation, or
 * shows another plane than the frontal one (A\F, a lateral film).
 *
 * Nothing else turns a film. Field of View Rotation (0018,7032) and Horizontal Flip (0018,7034) tell how the stored
 * pixels were turned against the detector (PS3.3 section C.8.11.4): that is done. View Position (0018,5101) tells how
 * the beam went through the patient.
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

/** Each letter by the axis of the body that it lies on. */
const AXES: Readonly<Record<string, string>> = {
  L: 'across',
  R: 'across',
  H: 'along',
  F: 'along',
  A: 'through',
  P: 'through',
};

/** Up to three letters, none twice and no two of one axis. */
function axis(direction: string): string | undefined {
  const axes = Array.from(direction, (letter) => AXES[letter]);
  return axes.length <= 3 && !axes.includes(undefined) && new Set(axes).size === axes.length ? axes[0] : undefined;
}
