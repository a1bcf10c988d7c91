import type { Uid } from '../dicom/uid';
import { firstAt, uidAt, withoutPadding } from './json-values';

/**
 * What a header in the DICOM JSON model says of patient, study, order and film: keyword to text, '' where it says
 * nothing. Fits the results' port by shape.
 */
export type FilmHeader = Readonly<Record<keyof typeof HEADER_TAGS, string>> & {
  readonly AccessionNumberIssuer: string;
  readonly sopClassUid: Uid | null;
};

const HEADER_TAGS = {
  PatientID: '00100020',
  IssuerOfPatientID: '00100021',
  PatientName: '00100010',
  PatientBirthDate: '00100030',
  PatientSex: '00100040',
  StudyID: '00200010',
  StudyDate: '00080020',
  StudyTime: '00080030',
  TimezoneOffsetFromUTC: '00080201',
  StudyDescription: '00081030',
  ReferringPhysicianName: '00080090',
  InstitutionName: '00080080',
  AccessionNumber: '00080050',
  PlacerOrderNumberImagingServiceRequest: '00402016',
  FillerOrderNumberImagingServiceRequest: '00402017',
  RequestedProcedureID: '00401001',
  RequestedProcedureDescription: '00321060',
  Modality: '00080060',
  ViewPosition: '00185101',
} as const;

/** What a search for a study returns of it (PS3.18 table 10.6.3-3), beside what every server returns. */
export const SIGHT_FIELDS = [HEADER_TAGS.StudyDescription, '00080061'];

/** Top-level tags that {@link readHeader} looks at. */
export const HEADER_ROW_TAGS: readonly string[] = [...Object.values(HEADER_TAGS), '00080016', '00080051', '00400275'];

const SOP_CLASS_UID = '00080016';
const ISSUER_OF_ACCESSION_NUMBER_SEQUENCE = '00080051';
const LOCAL_NAMESPACE_ENTITY_ID = '00400031';
const UNIVERSAL_ENTITY_ID = '00400032';
const REQUEST_ATTRIBUTES_SEQUENCE = '00400275';

/**
 * At the top of the dataset, else in the first item of its Request Attributes Sequence (PS3.3 table 10-9): that is
 * where a film names its order.
 */
export function readHeader(dataset: unknown): FilmHeader {
  const request = firstAt(dataset, REQUEST_ATTRIBUTES_SEQUENCE);
  const either = (tag: string) => textAt(dataset, tag) || textAt(request, tag);
  const issuer =
    firstAt(dataset, ISSUER_OF_ACCESSION_NUMBER_SEQUENCE) ?? firstAt(request, ISSUER_OF_ACCESSION_NUMBER_SEQUENCE);
  return {
    ...(Object.fromEntries(Object.entries(HEADER_TAGS).map(([keyword, tag]) => [keyword, either(tag)])) as Record<
      keyof typeof HEADER_TAGS,
      string
    >),
    AccessionNumberIssuer: textAt(issuer, LOCAL_NAMESPACE_ENTITY_ID) || textAt(issuer, UNIVERSAL_ENTITY_ID),
    sopClassUid: uidAt(dataset, SOP_CLASS_UID) ?? null,
  };
}

/**
 * First value as a text: of a name (PS3.18 section F.2.2) the alphabetic group, else the first that there is. Numbers
 * are no texts here.
 */
function textAt(dataset: unknown, tag: string): string {
  const value = firstAt(dataset, tag);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const { Alphabetic, Ideographic, Phonetic } = value as Record<string, unknown>;
  return (
    [Alphabetic, Ideographic, Phonetic]
      .map((group) => (typeof group === 'string' ? withoutPadding(group) : ''))
      .find((group) => group !== '') ?? ''
  );
}
