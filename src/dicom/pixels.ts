/** One grey film, ready for display: 0 is black, 1 is white, whatever the source's photometric interpretation. Row by row. */
export interface GrayFilm {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns values, 0..1 */
  readonly values: Float32Array;
}
