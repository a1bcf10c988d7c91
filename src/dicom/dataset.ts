/** A data set by keyword, as dcmjs takes it. */
export type Dataset = Record<string, unknown>;

/**
 * A group that may be repeated (60xx, PS3.5 section 7.6), which a keyword alone does not name: a data set holds those
 * that it has as `_overlays`.
 */
export interface RepeatedGroup {
  /** Even, 0x6000 to 0x601e. */
  readonly group: number;
  readonly elements: Dataset;
}
