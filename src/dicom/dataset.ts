/** A data set by keyword, as dcmjs takes it; with `_overlays`, a list of {@link OverlayPlane}. */
export type Dataset = Record<string, unknown>;
