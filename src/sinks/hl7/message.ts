import { createHash } from 'node:crypto';
import { HilumError } from '../../base/errors';
import type { Code } from '../../dicom/code';
import type { Uid } from '../../dicom/uid';
import { RESEARCH_USE } from '../../finding/wording';
import {
  components,
  dicomMoment,
  ENCODING_CHARACTERS,
  escapeText,
  hierarchicDesignator,
  numbered,
  personName,
  SEGMENT_END,
  timestampOf,
} from '../../hl7/text';
import type { StudyRecord } from '../record';
import { CHEST_FILM, issuedAt, reportStatus, type ResultStatus, studyCaveats } from '../statements';
import type { Hl7Config } from './config';
import { observations } from './observations';

export type Hl7Options = Pick<
  Hl7Config,
  | 'sendingApplication'
  | 'sendingFacility'
  | 'receivingApplication'
  | 'receivingFacility'
  | 'processingId'
  | 'controlId'
  | 'accession'
  | 'procedure'
>;

/**
 * The result of a study as ORU^R01 of HL7 v2.5.1 (section 7.3.1): MSH PID [PV1] ORC OBR {NTE} {OBX}. The same record
 * always gives the same bytes.
 * @throws HilumError ENCODE_FAILED (permanent) for a film without Patient ID: PID-3 is required, and a result must not
 * be filed by name
 */
export function encodeOru(record: StudyRecord, options: Hl7Options): Buffer {
  if (record.patient.PatientID === '')
    throw new HilumError('ENCODE_FAILED', 'permanent', 'the film has no Patient ID, which PID-3 needs');
  const segments = [
    header(record, options),
    patient(record),
    ...visit(record),
    order(record, options),
    request(record, options),
    ...notes(record),
    ...observations(record),
  ];
  return Buffer.from(segments.map((text) => text + SEGMENT_END).join(''), 'utf8');
}

/**
 * MSH-10. HL7 v2.5.1 allows 20 characters, too few for a UID, so by default it is a digest of the record's key: 95 bits
 * in base 32. A receiver that accepts more (v2.7 allows up to 199) can be sent the key itself, to compare it with other
 * deliveries.
 */
export function controlIdOf(key: Uid, kind: Hl7Options['controlId']): string {
  if (kind === 'uid') return key;
  const digest = createHash('sha256').update(key).digest();
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const digitAt = (index: number) => BASE32[Number.parseInt(bits.slice(index * 5, index * 5 + 5), 2)]!;
  return `H${Array.from({ length: 19 }, (_, index) => digitAt(index)).join('')}`;
}

/** Crockford's base 32, without letters that look like digits. */
const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** MSH-15 and MSH-16 stay empty: original acknowledgement mode. */
function header(record: StudyRecord, options: Hl7Options): string {
  return numbered('MSH', {
    // MSH-1 is the field separator itself, so that field numbers are one less here.
    1: ENCODING_CHARACTERS,
    2: hierarchicDesignator(options.sendingApplication),
    3: hierarchicDesignator(options.sendingFacility),
    4: hierarchicDesignator(options.receivingApplication),
    5: hierarchicDesignator(options.receivingFacility),
    6: timestampOf(issuedAt(record)),
    8: components('ORU', 'R01', 'ORU_R01'),
    9: controlIdOf(record.key, options.controlId),
    10: options.processingId,
    11: '2.5.1',
    17: 'UNICODE UTF-8',
  });
}

function patient({
  patient: { PatientID, IssuerOfPatientID, PatientName, PatientBirthDate, PatientSex },
}: StudyRecord): string {
  return numbered('PID', {
    1: '1',
    3: components(PatientID, '', '', IssuerOfPatientID),
    5: personName(PatientName),
    7: dicomMoment(PatientBirthDate, '', ''),
    8: ['M', 'F', 'O'].includes(PatientSex) ? PatientSex : '',
  });
}

/** For the referring physician; nothing else of the visit is known. PV1-2 is required; U is unknown. */
function visit({ study: { ReferringPhysicianName } }: StudyRecord): string[] {
  const name = personName(ReferringPhysicianName);
  if (name === '') return [];
  // XCN is XPN with an identifier in front, the name type in XCN.10 and the representation in XCN.15.
  const [family = '', given = '', middle = '', suffix = '', prefix = ''] = name.split('~')[0]!.split('^');
  return [
    numbered('PV1', { 1: '1', 2: 'U', 8: ['', family, given, middle, suffix, prefix].join('^').replace(/\^+$/, '') }),
  ];
}

/**
 * Order numbers for OBR-2 and OBR-3 (the same as ORC-2 and ORC-3): the film's or, if configured and the film has none,
 * its accession number.
 */
function orderNumbers(
  {
    order: {
      PlacerOrderNumberImagingServiceRequest: placer,
      FillerOrderNumberImagingServiceRequest: filler,
      AccessionNumber,
      AccessionNumberIssuer,
    },
  }: StudyRecord,
  { accession }: Hl7Options,
) {
  const number = components(AccessionNumber, AccessionNumberIssuer);
  return {
    placer: placer === '' && accession === 'OBR-2' ? number : escapeText(placer),
    filler: filler === '' && accession === 'OBR-3' ? number : escapeText(filler),
    accession: accession === 'OBR-18' ? escapeText(AccessionNumber) : '',
  };
}

function order(record: StudyRecord, options: Hl7Options): string {
  const { placer, filler } = orderNumbers(record, options);
  return numbered('ORC', { 1: 'RE', 2: placer, 3: filler });
}

function request(record: StudyRecord, options: Hl7Options): string {
  const { placer, filler, accession } = orderNumbers(record, options);
  const { StudyDate, StudyTime, TimezoneOffsetFromUTC } = record.study;
  return numbered('OBR', {
    1: '1',
    2: placer,
    3: filler,
    4: serviceId(record, options),
    7: dicomMoment(StudyDate, StudyTime, TimezoneOffsetFromUTC),
    18: accession,
    22: timestampOf(issuedAt(record)),
    24: 'RAD',
    25: STATUS_CODES[reportStatus(record)],
  });
}

/**
 * Result status (table 0123). Preliminary, as no person has read it. A result that replaces an earlier one is
 * corrected; where nothing of that is left, no results are available.
 */
const STATUS_CODES: Readonly<Record<ResultStatus, string>> = { preliminary: 'P', corrected: 'C', withdrawn: 'X' };

function serviceId(
  { order: { RequestedProcedureID, RequestedProcedureDescription } }: StudyRecord,
  { procedure }: Hl7Options,
): string {
  const own: Code[] =
    RequestedProcedureID === '' && RequestedProcedureDescription === ''
      ? []
      : [{ value: RequestedProcedureID, meaning: RequestedProcedureDescription, scheme: 'L' }];
  const [first, second] = procedure === 'film' ? [...own, CHEST_FILM] : [CHEST_FILM, ...own];
  return components(
    ...[first, ...(second === undefined ? [] : [second])].flatMap(({ value, meaning, scheme }) => [
      value,
      meaning,
      scheme,
    ]),
  );
}

function notes(record: StudyRecord): string[] {
  return [RESEARCH_USE.statement, ...studyCaveats(record)].map((text, index) =>
    numbered('NTE', { 1: String(index + 1), 2: 'L', 3: escapeText(text) }),
  );
}
