import type { Code } from '../dicom/code';

/** A Code Sequence item, PS3.3 section 8.8. */
export type CodeItem = Readonly<Record<string, string>>;

/**
 * Coding scheme of the few concepts that are not in PS3.16; declared in every object that uses it (Coding Scheme
 * Identification Sequence).
 */
export const HILUM_SCHEME = '99HILUM';

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning });
const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning });
const own = (value: string, meaning: string): Code => ({ value, scheme: HILUM_SCHEME, meaning });

export const CODES = {
  // Document (TID 1500, 1204, 1001, 1004)
  imagingMeasurementReport: dcm('126000', 'Imaging Measurement Report'),
  language: dcm('121049', 'Language of Content Item and Descendants'),
  americanEnglish: { value: 'en-US', scheme: 'RFC5646', meaning: 'English (United States)' },
  observerType: dcm('121005', 'Observer Type'),
  device: dcm('121007', 'Device'),
  deviceObserverUid: dcm('121012', 'Device Observer UID'),
  deviceObserverName: dcm('121013', 'Device Observer Name'),
  deviceObserverManufacturer: dcm('121014', 'Device Observer Manufacturer'),
  deviceObserverModel: dcm('121015', 'Device Observer Model Name'),
  deviceObserverSerial: dcm('121016', 'Device Observer Serial Number'),
  procedureReported: dcm('121058', 'Procedure reported'),
  // Not (36554-4, LN), which no edition of CID 100 has.
  imagingProcedure: sct('363679005', 'Imaging procedure'),
  // Image Library (TID 1600, 1602)
  imageLibrary: dcm('111028', 'Image Library'),
  imageLibraryGroup: dcm('126200', 'Image Library Group'),
  modality: dcm('121139', 'Modality'),
  // Measurements (TID 1410, 1419, 4019)
  imagingMeasurements: dcm('126010', 'Imaging Measurements'),
  measurementGroup: dcm('125007', 'Measurement Group'),
  trackingIdentifier: dcm('112039', 'Tracking Identifier'),
  trackingUniqueIdentifier: dcm('112040', 'Tracking Unique Identifier'),
  finding: dcm('121071', 'Finding'),
  findingSite: sct('363698007', 'Finding Site'),
  lung: sct('39607008', 'Lung'),
  imageRegion: dcm('111030', 'Image Region'),
  illustrationOfRoi: dcm('121200', 'Illustration of ROI'),
  probability: dcm('122157', 'Probability'),
  percent: { value: '%', scheme: 'UCUM', meaning: 'Percent' },
  algorithmName: dcm('111001', 'Algorithm Name'),
  algorithmVersion: dcm('111003', 'Algorithm Version'),
  algorithmParameters: dcm('111002', 'Algorithm Parameters'),
  algorithmFamily: dcm('111000', 'Algorithm Family'),
  artificialIntelligence: dcm('123110', 'Artificial Intelligence'),
  presenceUndetermined: dcm('121059', 'Presence undetermined'),
  // Qualitative Evaluations (TID 1500 rows 12-14: any CODE, any TEXT, no NUM)
  qualitativeEvaluations: { value: 'C0034375', scheme: 'UMLS', meaning: 'Qualitative Evaluations' },
  comment: dcm('121106', 'Comment'),
  summary: dcm('121111', 'Summary'),
  imageView: dcm('111031', 'Image View'),
  frontal: sct('399033003', 'frontal'),
  lateral: sct('399067008', 'lateral'),
  // Values that programs read back; TEXT because row 14 allows no NUM
  outcome: own('outcome', 'Outcome of the analysis'),
  reason: own('reason', 'Reason not analysed, code'),
  reasonText: own('reason-text', 'Reason not analysed'),
  exactProbability: own('probability', 'Probability of the positive class, 0 to 1'),
  lungFraction: own('lung-fraction', 'Lung pixels per film pixels, 0 to 1'),
  priority: own('priority', 'Suggested reading priority'),
  model: own('model', 'Model'),
  warning: own('warning', 'Warning, code'),
  remark: own('remark', 'Remark on the film'),
  decodedDigest: own('decoded-digest', 'Film as analysed, SHA-256 of its decoded content'),
  encodedDigest: own('encoded-digest', 'Film as analysed, SHA-256 of its encoded content'),
  // Pixel objects
  sourceImage: dcm('121322', 'Source image for image processing operation'),
  spatialResampling: dcm('113085', 'Spatial resampling'),
  processingEquipment: dcm('109102', 'Processing Equipment'),
  // Segmentation (CID 7150, 244, 7203) and Parametric Map (CID 218)
  segmentation: dcm('113076', 'Segmentation'),
  anatomicalStructure: sct('91723000', 'Anatomical Structure'),
  rightAndLeft: sct('51440002', 'Right and left'),
  quantity: sct('246205007', 'Quantity'),
  classActivation: dcm('130403', 'Gradient-weighted class activation'),
  noUnits: { value: '1', scheme: 'UCUM', meaning: 'no units' },
} as const satisfies Record<string, Code>;

/** Modality as a code (CID 29), for the Image Library; undefined for other modalities. */
export const MODALITY_CODES: Readonly<Record<string, Code>> = {
  CR: dcm('CR', 'Computed Radiography'),
  DX: dcm('DX', 'Digital Radiography'),
};

/**
 * A code of more than 16 characters (such as SNOMED CT's extension codes) goes into Long Code Value (PS3.3 section
 * 8.8).
 */
export function codeItem({ value, scheme, meaning }: Code): CodeItem {
  return {
    [value.length > 16 ? 'LongCodeValue' : 'CodeValue']: value,
    CodingSchemeDesignator: scheme,
    CodeMeaning: meaning,
  };
}

/** Coding Scheme Identification Sequence of the private scheme (PS3.3 section C.12.1.1.2). */
export function codingSchemes(): Readonly<Record<string, string>>[] {
  return [
    {
      CodingSchemeDesignator: HILUM_SCHEME,
      CodingSchemeName: 'Concepts of the Hilum chest-film triage',
      CodingSchemeResponsibleOrganization: 'Hilum',
    },
  ];
}
