import { HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import { areDefinedTerms } from '../dicom/charset';
import { IDENTIFIERS, wholeIdentifier } from '../dicom/identifiers';
import { readPart10 } from '../dicom/read';
import { tryParseUid, type Uid } from '../dicom/uid';
import { valuesAt, withoutPadding } from './json-values';

/**
 * Patient, study, order and film attributes of a header: keyword to text, '' where missing. Fits the port of
 * `sinks/load-record` by shape.
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

/** Attributes asked for in a search for studies (PS3.18 table 10.6.3-3), beside those that every server returns. */
export const SUMMARY_FIELDS = [HEADER_TAGS.StudyDescription, '00080061'];

const TAGS = {
  ...HEADER_TAGS,
  SpecificCharacterSet: '00080005',
  SOPClassUID: '00080016',
  IssuerOfAccessionNumberSequence: '00080051',
  LocalNamespaceEntityID: '00400031',
  UniversalEntityID: '00400032',
  RequestAttributesSequence: '00400275',
} as const;
type HeaderKeyword = keyof typeof TAGS;

/** Reads the values of an attribute, from one of the two models that a header comes in. */
type ValuesAt = (dataset: unknown, keyword: HeaderKeyword) => readonly unknown[];

/** Header from a dataset in the DICOM JSON model (PS3.18 annex F). */
export function readHeader(dataset: unknown): FilmHeader {
  return headerBy(jsonValues, dataset);
}

/** Header from a PS3.10 file; null where it can't be read. */
export function headerOfFile(file: Uint8Array): FilmHeader | null {
  const attributes = attributesOf(file);
  if (attributes === null) return null;
  return headerBy((dataset, keyword) => [(dataset as Attributes | undefined)?.[keyword]].flat(), attributes);
}

function attributesOf(file: Uint8Array): Attributes | null {
  try {
    return readPart10(file).attributes;
  } catch (error) {
    if (error instanceof HilumError && error.code === 'DICOM_UNREADABLE') return null;
    throw error;
  }
}

/**
 * Whether the archive can have decoded the texts of a dataset: some servers drop every character beyond ASCII where
 * Specific Character Set is misspelt, and pass the misspelt term on.
 */
export function hasReadableTexts(dataset: unknown): boolean {
  return areDefinedTerms(
    jsonValues(dataset, 'SpecificCharacterSet').map((term) => (typeof term === 'string' ? term.trim() : '')),
  );
}

/** Top-level tags that {@link readHeader} looks at. */
export const HEADER_ROW_TAGS: readonly string[] = Object.values(TAGS);

/**
 * Reads each attribute at the top of the dataset, else in the first item of its Request Attributes Sequence (PS3.3
 * table 10-9), where a film names its order.
 */
function headerBy(at: ValuesAt, dataset: unknown): FilmHeader {
  const [request] = at(dataset, 'RequestAttributesSequence');
  const read = (place: unknown, keyword: HeaderKeyword) =>
    (IDENTIFIERS.has(keyword) ? identifierOf : textOf)(at(place, keyword));
  const either = (keyword: HeaderKeyword) => read(dataset, keyword) || read(request, keyword);
  const keywords = Object.keys(HEADER_TAGS) as (keyof typeof HEADER_TAGS)[];
  const issuer = [dataset, request].flatMap((place) => at(place, 'IssuerOfAccessionNumberSequence').slice(0, 1))[0];
  return {
    ...(Object.fromEntries(keywords.map((keyword) => [keyword, either(keyword)])) as Record<
      keyof typeof HEADER_TAGS,
      string
    >),
    AccessionNumberIssuer: read(issuer, 'LocalNamespaceEntityID') || read(issuer, 'UniversalEntityID'),
    sopClassUid: tryParseUid(at(dataset, 'SOPClassUID')[0]) ?? null,
  };
}

/**
 * First value as text; of a Person Name (PS3.18 section F.2.2) the alphabetic group, else the first group there is.
 * Numbers give ''.
 */
function textOf([value]: readonly unknown[]): string {
  if (typeof value === 'string') return withoutPadding(value);
  if (typeof value !== 'object' || value === null) return '';
  const { Alphabetic, Ideographic, Phonetic } = value as Record<string, unknown>;
  return (
    [Alphabetic, Ideographic, Phonetic]
      .map((group) => (typeof group === 'string' ? withoutPadding(group) : ''))
      .find((group) => group !== '') ?? ''
  );
}

/** All values joined: a converter to JSON splits an identifier at a backslash (PS3.18 section F.2.2). */
function identifierOf(values: readonly unknown[]): string {
  return values.every((value) => typeof value === 'string' || value === null) ? wholeIdentifier(values) : '';
}

function jsonValues(dataset: unknown, keyword: HeaderKeyword): unknown[] {
  return valuesAt(dataset, TAGS[keyword]);
}
