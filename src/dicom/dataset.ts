/** A data set by keyword, in dcmjs's form; `_overlays` holds a list of {@link OverlayPlane}. */
export type Dataset = Record<string, unknown>;
