/**
 * A closed polygon in source-pixel coordinates (column, row), PS3.3 C.10.5: (0.0, 0.0) is the top left corner of the
 * top left pixel.
 */
export type Polygon = readonly (readonly [column: number, row: number])[];
