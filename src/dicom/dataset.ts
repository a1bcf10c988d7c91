/** A data set by keyword, as dcmjs takes it. */
export type Dataset = Record<string, unknown>;
