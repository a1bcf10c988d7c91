import type { DiagnosticReport, Extension, Reference } from 'fhir/r4';
import { HilumError } from '../../base/errors';
import { clean } from '../../dicom/sanitise';
import { deriveUid, type Uid } from '../../dicom/uid';
import { RESEARCH_USE } from '../../finding/wording';
import type { StudyRecord } from '../record';
import { caveats, CHEST_FILM, filmStatement, issuedAt, reportStatus, studyCaveats } from '../statements';
import type { FhirConfig } from './config';
import { filmObservations, outdatedObservations } from './observations';
import { concept, type Entry, logical, own, type Shared, STATUS_CODES, type Transaction, type Written } from './types';

export type FhirOptions = Pick<FhirConfig, 'patientSystem' | 'accessionSystem' | 'placerSystem'>;

/**
 * The result of a study as a transaction: Device, Observations and a preliminary DiagnosticReport. Each is identified
 * by an identifier derived from its subject, so that a repetition creates nothing, and a later result replaces an
 * earlier one. Patient, order and ImagingStudy are referenced by identifier and never created.
 * @throws HilumError ENCODE_FAILED (permanent) for a film without Patient ID: a result must not be filed by name
 */
export function encodeBundle(record: StudyRecord, options: FhirOptions): Transaction {
  if (record.patient.PatientID === '')
    throw new HilumError('ENCODE_FAILED', 'permanent', 'the film has no Patient ID, which the subject needs');
  const device = deviceEntry(record);
  const shared: Shared = {
    subject: subjectOf(record, options),
    device: { reference: device.fullUrl },
    issued: issuedAt(record),
    basedOn: ordersOf(record, options),
    correction: record.correction,
  };
  const entries = (observationsOf: typeof filmObservations) =>
    record.films.flatMap((film) =>
      observationsOf(film, shared).map(({ name, resource }) =>
        updated(deriveUid(['fhir-observation', record.studyInstanceUid, film.sopInstanceUid, name]), resource),
      ),
    );
  const observations = entries(filmObservations);
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [device, ...observations, ...entries(outdatedObservations), reportEntry(record, shared, observations)],
  };
}

/** Conditional update (FHIR R4 section 3.1.0.4.3): replaces the resource with this identifier, or creates it. */
function updated(uid: Uid, resource: Written): Entry {
  const identifier = own(uid);
  return {
    fullUrl: uuidOf(uid),
    resource: { ...resource, identifier: [identifier] },
    request: {
      method: 'PUT',
      url: `${resource.resourceType}?identifier=${encodeURIComponent(`${identifier.system}|${identifier.value}`)}`,
    },
  };
}

/** One for each software version, created once. It has no UDI, as it is no medical device. */
function deviceEntry({ softwareVersion, models }: StudyRecord): Entry {
  const uid = deriveUid(['fhir-device', softwareVersion, ...models.map(({ id, version }) => `${id} ${version}`)]);
  const identifier = own(uid);
  // Unknown where no report can be read; FHIR allows neither an empty text nor an empty list.
  const version = [
    ...(softwareVersion === '' ? [] : [{ value: softwareVersion }]),
    ...models.map(({ id, version: value }) => ({ component: { value: id }, value })),
  ];
  const resource: Written = {
    resourceType: 'Device',
    identifier: [identifier],
    status: 'active',
    manufacturer: 'Hilum',
    deviceName: [{ name: 'Hilum chest-film triage', type: 'manufacturer-name' }],
    ...(version.length === 0 ? {} : { version }),
    note: [{ text: RESEARCH_USE.statement }],
  };
  return {
    fullUrl: uuidOf(uid),
    resource,
    request: {
      method: 'POST',
      url: 'Device',
      ifNoneExist: `identifier=${encodeURIComponent(`${identifier.system}|${identifier.value}`)}`,
    },
  };
}

function subjectOf(
  { patient: { PatientID, IssuerOfPatientID } }: StudyRecord,
  { patientSystem }: FhirOptions,
): Reference {
  return logical('Patient', PatientID, { system: patientSystem, type: 'MR', assigner: IssuerOfPatientID });
}

function ordersOf(
  { order: { AccessionNumber, AccessionNumberIssuer, PlacerOrderNumberImagingServiceRequest: placer } }: StudyRecord,
  { accessionSystem, placerSystem }: FhirOptions,
): Reference[] {
  return [
    ...(AccessionNumber === ''
      ? []
      : [
          logical('ServiceRequest', AccessionNumber, {
            system: accessionSystem,
            type: 'ACSN',
            assigner: AccessionNumberIssuer,
          }),
        ]),
    ...(placer === '' ? [] : [logical('ServiceRequest', placer, { system: placerSystem, type: 'PLAC' })]),
  ];
}

function reportEntry(record: StudyRecord, { subject, issued, basedOn }: Shared, observations: readonly Entry[]): Entry {
  const { studyInstanceUid, priority, films } = record;
  const uid = deriveUid(['fhir-report', studyInstanceUid]);
  return updated(uid, {
    resourceType: 'DiagnosticReport',
    ...(basedOn.length === 0 ? {} : { basedOn: [...basedOn] }),
    ...replaced(films),
    status: STATUS_CODES[reportStatus(record)],
    category: [
      concept({ value: 'RAD', scheme: 'http://terminology.hl7.org/CodeSystem/v2-0074', meaning: 'Radiology' }),
    ],
    code: concept({ value: '18748-4', scheme: 'LN', meaning: 'Diagnostic imaging study' }, CHEST_FILM),
    subject,
    ...effective(record),
    issued,
    result: observations.map(({ fullUrl }) => ({ reference: fullUrl })),
    imagingStudy: [
      { type: 'ImagingStudy', identifier: { system: 'urn:dicom:uid', value: `urn:oid:${studyInstanceUid}` } },
    ],
    conclusion: [
      RESEARCH_USE.statement,
      ...studyCaveats(record),
      ...(priority === null ? [] : [`Suggested reading priority: ${priority}.`]),
      ...films.map((film, index) => `Film ${index + 1}: ${[filmStatement(film), ...caveats(film)].join(' ')}`),
    ].join('\n'),
  });
}

/** Extension of FHIR R4 with the reports that this one replaces, by their SOP Instance UIDs. */
function replaced(films: StudyRecord['films']): { extension?: Extension[] } {
  const extension = films
    .flatMap(({ supersedes = [] }) => supersedes)
    .map((uid) => ({
      url: 'http://hl7.org/fhir/StructureDefinition/diagnosticReport-replaces',
      valueReference: {
        type: 'DiagnosticReport',
        identifier: { system: 'urn:dicom:uid', value: `urn:oid:${uid}` },
      },
    }));
  return extension.length === 0 ? {} : { extension };
}

/**
 * Study Date and Time as dateTime; without a time zone only the date (FHIR R4 section 2.24.0.1). What is no date, time
 * or time zone there is left out, as a server refuses the whole result for it.
 */
function effective({
  study: { StudyDate, StudyTime, TimezoneOffsetFromUTC: offset },
}: StudyRecord): Pick<DiagnosticReport, 'effectiveDateTime'> {
  const day = /^(?!0000)(\d{4})(\d{2})(\d{2})$/.exec(clean('DA', StudyDate));
  if (day === null) return {};
  const date = day.slice(1).join('-');
  const time = /^(\d{2})(\d{2})(\d{2})?/.exec(clean('TM', StudyTime));
  const hasTime = time !== null && /^[+-](?:(?:0\d|1[0-3])[0-5]\d|1400)$/.test(offset);
  return {
    effectiveDateTime: hasTime
      ? `${date}T${time[1]}:${time[2]}:${time[3] ?? '00'}${offset.slice(0, 3)}:${offset.slice(3)}`
      : date,
  };
}

/** UUID for references inside of the bundle: 2.25 UIDs are UUIDs in decimal (PS3.5 section B.2). */
export function uuidOf(uid: Uid): string {
  const digits = BigInt(uid.slice('2.25.'.length)).toString(16).padStart(32, '0');
  return `urn:uuid:${digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`;
}
