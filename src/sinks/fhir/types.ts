import type { Code } from '../../dicom/code';
import type { Uid } from '../../dicom/uid';
import type { StudyRecord } from '../record';
import type { ResultStatus } from '../statements';

/** As much of FHIR R4 as is written here; the tests validate it against the published profiles. */
export interface Resource {
  readonly resourceType: string;
  readonly [element: string]: unknown;
}

export interface Entry {
  readonly fullUrl: string;
  readonly resource: Resource;
  readonly request: { readonly method: 'PUT' | 'POST'; readonly url: string; readonly ifNoneExist?: string };
}

export interface Bundle {
  readonly resourceType: 'Bundle';
  readonly type: 'transaction';
  readonly entry: readonly Entry[];
}

/** What all Observations and the report of a study have in common. */
export interface Shared {
  readonly subject: object;
  readonly device: object;
  readonly issued: string;
  readonly basedOn: readonly object[];
  readonly correction: StudyRecord['correction'];
}

/** FHIR's names of coding schemes; 99HILUM has no URI of its own but a name. */
const SYSTEMS: Readonly<Record<string, string>> = {
  LN: 'http://loinc.org',
  SCT: 'http://snomed.info/sct',
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  '99HILUM': 'urn:hilum:codes',
};
/** Of Observation and DiagnosticReport. Nobody has read it: preliminary. */
export const STATUS_CODES: Readonly<Record<ResultStatus, string>> = {
  preliminary: 'preliminary',
  corrected: 'corrected',
  withdrawn: 'entered-in-error',
};

const IDENTIFIER_TYPES = 'http://terminology.hl7.org/CodeSystem/v2-0203';

export function concept(...codes: readonly Code[]): { coding: { system: string; code: string; display: string }[] } {
  return {
    coding: codes.map(({ value, scheme, meaning }) => ({
      system: SYSTEMS[scheme] ?? scheme,
      code: value,
      display: meaning,
    })),
  };
}

/** Identifier of a resource of ours. */
export function own(uid: Uid): { system: string; value: string } {
  return { system: 'urn:ietf:rfc:3986', value: `urn:oid:${uid}` };
}

/** A reference by identifier alone (FHIR R4 section 2.3.0.2). */
export function logical(
  type: string,
  value: string,
  about: { readonly system?: string | undefined; readonly type: string; readonly assigner?: string },
): object {
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
