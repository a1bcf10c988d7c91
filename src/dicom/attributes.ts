/**
 * DICOM attributes in dcmjs's naturalised form (keyword -> value: one value plain, several as an array, none as null),
 * read through typed getters, so that a misspelt keyword does not compile.
 */
export type Attributes = Readonly<Record<string, unknown>>;

/** Keywords of PS3.6 that are read. A test compares them with the dictionary. */
export const KEYWORDS = [
  // identity
  'SpecificCharacterSet',
  'SOPClassUID',
  'SOPInstanceUID',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'StudyID',
  'AccessionNumber',
  'IssuerOfAccessionNumberSequence',
  'LocalNamespaceEntityID',
  'UniversalEntityID',
  'SeriesNumber',
  'InstanceNumber',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'PatientBirthDate',
  'PatientSex',
  'PatientAge',
  'PatientSpeciesDescription',
  'PatientSpeciesCodeSequence',
  'PatientBreedDescription',
  'PatientBreedCodeSequence',
  'ResponsiblePersonRole',
  'StudyDate',
  'StudyTime',
  'TimezoneOffsetFromUTC',
  'SeriesDate',
  'AcquisitionDate',
  'AcquisitionDateTime',
  'ContentDate',
  'ReferringPhysicianName',
  // what kind of film
  'Modality',
  'BodyPartExamined',
  'ViewPosition',
  'PresentationIntentType',
  'ImageType',
  'StudyDescription',
  'SeriesDescription',
  'ProtocolName',
  'PatientOrientation',
  'AnatomicRegionSequence',
  'ViewCodeSequence',
  'RequestedProcedureDescription',
  'RequestedProcedureCodeSequence',
  'RequestAttributesSequence',
  'ScheduledProcedureStepDescription',
  'PerformedProcedureStepDescription',
  'PerformedProtocolCodeSequence',
  'ProcedureCodeSequence',
  'AcquisitionDeviceProcessingDescription',
  'AnatomicalOrientationType',
  'QualityControlImage',
  'DerivationDescription',
  'DerivationCodeSequence',
  'ImageComments',
  'ContributingEquipmentSequence',
  'ContributionDescription',
  'ConceptNameCodeSequence',
  'ContentSequence',
  'CurrentRequestedProcedureEvidenceSequence',
  'ReferencedSeriesSequence',
  'ReferencedSOPSequence',
  'CodeValue',
  'CodingSchemeDesignator',
  'CodeMeaning',
  'BurnedInAnnotation',
  'InstitutionName',
  'Manufacturer',
  'ManufacturerModelName',
  'PixelSpacing',
  'ImagerPixelSpacing',
  'NominalScannedPixelSpacing',
  'PixelAspectRatio',
  // pixels
  'SamplesPerPixel',
  'PhotometricInterpretation',
  'PlanarConfiguration',
  'NumberOfFrames',
  'Rows',
  'Columns',
  'BitsAllocated',
  'BitsStored',
  'HighBit',
  'PixelRepresentation',
  'PixelPaddingValue',
  'PixelPaddingRangeLimit',
  'OverlayRows',
  'OverlayColumns',
  'OverlayData',
  'OverlayBitPosition',
  'RescaleSlope',
  'RescaleIntercept',
  'RescaleType',
  'ModalityLUTSequence',
  'ModalityLUTType',
  'VOILUTSequence',
  'LUTDescriptor',
  'LUTData',
  'LUTExplanation',
  'WindowCenter',
  'WindowWidth',
  'VOILUTFunction',
  'PresentationLUTShape',
  'RedPaletteColorLookupTableDescriptor',
  'RedPaletteColorLookupTableData',
  'GreenPaletteColorLookupTableDescriptor',
  'GreenPaletteColorLookupTableData',
  'BluePaletteColorLookupTableDescriptor',
  'BluePaletteColorLookupTableData',
  // display shutter
  'ShutterShape',
  'ShutterLeftVerticalEdge',
  'ShutterRightVerticalEdge',
  'ShutterUpperHorizontalEdge',
  'ShutterLowerHorizontalEdge',
  'CenterOfCircularShutter',
  'RadiusOfCircularShutter',
  'VerticesOfThePolygonalShutter',
  'ShutterPresentationValue',
] as const;
export type Keyword = (typeof KEYWORDS)[number];

/**
 * First value as text without padding; undefined when there is none. Numbers come as written by JavaScript, names as
 * {@link personName} gives them.
 */
export function text(attributes: Attributes, keyword: Keyword): string | undefined {
  return texts(attributes, keyword)[0];
}

/** All values that are not empty. */
export function texts(attributes: Attributes, keyword: Keyword): string[] {
  return values(attributes, keyword)
    .map(plainText)
    .filter((value) => value !== '');
}

/** First value; undefined when there is none, NaN when it is no number. */
export function number(attributes: Attributes, keyword: Keyword): number | undefined {
  return numbers(attributes, keyword)[0];
}

export function numbers(attributes: Attributes, keyword: Keyword): number[] {
  return values(attributes, keyword)
    .filter((value) => value !== '')
    .map((value) => (typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN));
}

/** Items of a sequence; none when it is missing, empty or of another VR. */
export function items(attributes: Attributes, keyword: Keyword): Attributes[] {
  return values(attributes, keyword).filter(
    (item): item is Attributes => typeof item === 'object' && !ArrayBuffer.isView(item),
  );
}

/** The alphabetic group of a Person Name (PS3.5 section 6.2.1), or the first that is not empty. */
export function personName(attributes: Attributes, keyword: Keyword): string | undefined {
  return text(attributes, keyword);
}

/** Bytes of an OB or OW value, little endian. */
export function binary(attributes: Attributes, keyword: Keyword): Uint8Array | undefined {
  const [value] = values(attributes, keyword);
  if (value instanceof Uint8Array) return value;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

function values(attributes: Attributes, keyword: Keyword): unknown[] {
  const value = attributes[keyword];
  return (Array.isArray(value) ? (value as unknown[]) : [value]).filter((one) => one !== undefined && one !== null);
}

function plainText(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const groups = value as { Alphabetic?: unknown; Ideographic?: unknown; Phonetic?: unknown };
    return (
      [groups.Alphabetic, groups.Ideographic, groups.Phonetic]
        .find((group): group is string => typeof group === 'string' && group !== '')
        ?.trim() ?? ''
    );
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}
