import type {
  Bundle,
  BundleEntry,
  BundleEntryRequest,
  CodeableConcept,
  Device,
  DiagnosticReport,
  Identifier,
  Observation,
  Reference,
} from 'fhir/r4';
import type { Code } from '../../dicom/code';
import type { Uid } from '../../dicom/uid';
import type { StudyRecord } from '../record';
import type { ResultStatus } from '../statements';

/** FHIR R4 resources that are written; tests validate them against the published profiles. */
export type Written = Device | Observation | DiagnosticReport;

export interface Entry extends BundleEntry<Written> {
  fullUrl: string;
  resource: Written;
  request: BundleEntryRequest;
}

export interface Transaction extends Bundle<Written> {
  type: 'transaction';
  entry: Entry[];
}

/** Common parts of all Observations and the report of a study. */
export interface Shared {
  readonly subject: Reference;
  readonly device: Reference;
  readonly issued: string;
  readonly basedOn: readonly Reference[];
  readonly correction: StudyRecord['correction'];
}

/** FHIR's URIs of coding schemes; 99HILUM has none and is named. */
const SYSTEMS: Readonly<Record<string, string>> = {
  LN: 'http://loinc.org',
  SCT: 'http://snomed.info/sct',
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  '99HILUM': 'urn:hilum:codes',
};
/** Status of Observation and DiagnosticReport. Preliminary, as no person has read it. */
export const STATUS_CODES = {
  preliminary: 'preliminary',
  corrected: 'corrected',
  withdrawn: 'entered-in-error',
} as const satisfies Record<ResultStatus, Observation['status'] & DiagnosticReport['status']>;

const IDENTIFIER_TYPES = 'http://terminology.hl7.org/CodeSystem/v2-0203';

export function concept(...codes: readonly Code[]): CodeableConcept {
  return {
    coding: codes.map(({ value, scheme, meaning }) => ({
      system: SYSTEMS[scheme] ?? scheme,
      code: value,
      display: meaning,
    })),
  };
}

/** Identifier of a resource that Hilum writes. */
export function own(uid: Uid): Identifier & { system: string; value: string } {
  return { system: 'urn:ietf:rfc:3986', value: `urn:oid:${uid}` };
}

/** A reference by identifier alone (FHIR R4 section 2.3.0.2). */
export function logical(
  type: string,
  value: string,
  about: { readonly system?: string | undefined; readonly type: string; readonly assigner?: string },
): Reference {
  const { system, assigner = '' } = about;
  return {
    type,
    identifier: {
      type: { coding: [{ system: IDENTIFIER_TYPES, code: about.type }] },
      ...(system === undefined ? {} : { system }),
      value,
      ...(assigner === '' ? {} : { assigner: { display: assigner } }),
    },
  };
}
