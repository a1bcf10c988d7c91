/**
 * Naturalised DICOM attributes: keyword -> value, as dcmjs gives them, behind typed getters.
 */
export type Attributes = Readonly<Record<string, unknown>>;
