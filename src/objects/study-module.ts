import type { Attributes } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import { IDENTIFIERS, identifierProblem, wholeIdentifier } from '../dicom/identifiers';
import { clean, cleanIdentifier, type CopiedVr, refuse } from '../dicom/sanitise';
import { tryParseUid, type Uid } from '../dicom/uid';

type Row = readonly [keyword: string, vr: CopiedVr];

/**
 * Attributes that every result copies from its film, so that it belongs to the same study and patient. Type 2 (PS3.5
 * section 7.4.3): present, may be empty. Patient (PS3.3 section C.7.1.1) and General Study (section C.7.2.1).
 */
const TYPE_2: readonly Row[] = [
  ['PatientName', 'PN'],
  ['PatientBirthDate', 'DA'],
  ['StudyDate', 'DA'],
  ['StudyTime', 'TM'],
  ['ReferringPhysicianName', 'PN'],
  ['StudyID', 'SH'],
  ['AccessionNumber', 'SH'],
];

/**
 * Type 3: present only with a value. Patient Study (section C.7.2.2), and the institution of General Equipment (section
 * C.7.5.1).
 */
const TYPE_3: readonly Row[] = [
  ['IssuerOfPatientID', 'LO'],
  ['PatientBirthTime', 'TM'],
  ['StudyDescription', 'LO'],
  ['PatientAge', 'AS'],
  ['PatientSize', 'DS'],
  ['PatientWeight', 'DS'],
  ['AdmissionID', 'LO'],
  ['InstitutionName', 'LO'],
  ['InstitutionalDepartmentName', 'LO'],
];

/** HL7v2 Hierarchic Designator, section 10.14. */
const DESIGNATOR: readonly Row[] = [
  ['LocalNamespaceEntityID', 'UT'],
  ['UniversalEntityID', 'UT'],
  ['UniversalEntityIDType', 'CS'],
];

interface Part {
  readonly rows: readonly Row[];
  readonly sequences?: Readonly<Record<string, Part>>;
}

/**
 * Sequences of one item with the attributes that are copied: issuers of identifiers (section 10.15 for the patient's).
 */
const SEQUENCES: Readonly<Record<string, Part>> = {
  IssuerOfAccessionNumberSequence: { rows: DESIGNATOR },
  IssuerOfAdmissionIDSequence: { rows: DESIGNATOR },
  IssuerOfPatientIDQualifiersSequence: {
    rows: [
      ['UniversalEntityID', 'UT'],
      ['UniversalEntityIDType', 'CS'],
      ['IdentifierTypeCode', 'CS'],
    ],
    sequences: { AssigningFacilitySequence: { rows: DESIGNATOR } },
  },
};

/**
 * Patient, study and institution of a film. Missing and invalid values stay empty or are left out; nothing is made up.
 */
export function studyModule(source: Attributes): Dataset {
  return {
    StudyInstanceUID: sourceUid(source, 'StudyInstanceUID'),
    PatientID: patientId(source),
    PatientSex: sex(source),
    ...Object.fromEntries(TYPE_2.map((row) => [row[0], copy(row, source)])),
    ...present(TYPE_3, source),
    ...sequences(SEQUENCES, source),
    ...otherPatientIds(source),
  };
}

/** UIDs of a film, for references to it. */
export interface SourceReference {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
  readonly sopClassUid: Uid;
}

/**
 * @throws HilumError ENCODE_FAILED when a UID of the film is missing or invalid (PS3.5 section 9.1), so that nothing
 * can refer to it
 */
export function sourceReference(source: Attributes): SourceReference {
  return {
    studyInstanceUid: sourceUid(source, 'StudyInstanceUID'),
    seriesInstanceUid: sourceUid(source, 'SeriesInstanceUID'),
    sopInstanceUid: sourceUid(source, 'SOPInstanceUID'),
    sopClassUid: sourceUid(source, 'SOPClassUID'),
  };
}

function sourceUid(source: Attributes, keyword: string): Uid {
  return tryParseUid(source[keyword]) ?? refuse(`the film's ${keyword} is no UID`);
}

function copy([keyword, vr]: Row, source: Attributes): string {
  return IDENTIFIERS.has(keyword) ? cleanIdentifier(source[keyword]) : clean(vr, source[keyword]);
}

function present(rows: readonly Row[], source: Attributes): Dataset {
  return Object.fromEntries(
    rows.map((row) => [row[0], copy(row, source)] as const).filter(([, value]) => value !== ''),
  );
}

/**
 * Archives file objects by Patient ID: with another one, or none, the result would be filed under another patient. So
 * an ID that can't be copied is an error.
 */
function patientId(source: Attributes): string {
  const id = wholeIdentifier(source.PatientID);
  const problem = identifierProblem(id);
  if (problem !== null) refuse(`the film's PatientID ${problem}, and a result must not be filed under another`);
  return id;
}

function sex(source: Attributes): string {
  const value = clean('CS', source.PatientSex);
  return ['M', 'F', 'O'].includes(value) ? value : '';
}

function sequences(parts: Readonly<Record<string, Part>>, source: Attributes): Dataset {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([keyword, { rows, sequences: inner = {} }]) => {
      const [first] = itemsOf(source[keyword]);
      const item = first ? { ...present(rows, first), ...sequences(inner, first) } : {};
      return isComplete(item) ? [[keyword, [item]]] : [];
    }),
  );
}

/** A universal ID and its type are required together (type 1C on each other). */
function isComplete(item: Dataset): boolean {
  return Object.keys(item).length > 0 && 'UniversalEntityID' in item === 'UniversalEntityIDType' in item;
}

/**
 * Other Patient IDs Sequence: identifiers of other hospitals. Incomplete items are left out, and so is the retired
 * Other Patient IDs.
 */
function otherPatientIds(source: Attributes): Dataset {
  const known = itemsOf(source.OtherPatientIDsSequence).map((item) =>
    present(
      [
        ['PatientID', 'LO'],
        ['IssuerOfPatientID', 'LO'],
        ['TypeOfPatientID', 'CS'],
      ],
      item,
    ),
  );
  const whole = known.filter(
    ({ PatientID, TypeOfPatientID }) =>
      PatientID !== undefined && ['TEXT', 'RFID', 'BARCODE'].includes(String(TypeOfPatientID)),
  );
  return whole.length > 0 ? { OtherPatientIDsSequence: whole } : {};
}

function itemsOf(value: unknown): Attributes[] {
  return [value].flat().filter((item): item is Attributes => typeof item === 'object' && item !== null);
}
