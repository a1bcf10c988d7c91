import type { Uid } from '../dicom/uid';
import type { Priority } from '../events/priority';
import type { Correction, FilmResult } from '../events/result-event';

/**
 * The result of a study with patient and order: what the reading list shows and the sinks encode. It is read from the
 * archive (reports of Hilum and a film's header) when a result event arrives, as the event holds nothing about the
 * patient. Never log it.
 */
export interface StudyRecord {
  readonly studyInstanceUid: Uid;
  readonly patient: PatientFacts;
  readonly study: StudyFacts;
  readonly order: OrderFacts;
  /** `urgent` or `routine` by the live findings; null where no film has one. It never means that a study is normal. */
  readonly priority: Priority | null;
  /**
   * The highest priority of the results that this one replaces; absent where there is none, or none can be read any
   * more.
   */
  readonly supersededPriority?: Priority;
  /** Present where patient or order were corrected since the result was sent. */
  readonly correction?: Correction;
  readonly films: readonly FilmRecord[];
  /** Modalities of the series that were not analysed; given where there is no film. */
  readonly skipped?: readonly string[];
  readonly models: readonly { readonly id: string; readonly version: string }[];
  /** Software version of the service that wrote the reports. */
  readonly softwareVersion: string;
  /** ISO 8601, UTC. */
  readonly completedAt: string;
  /**
   * The same for the same content, whenever it is delivered: the idempotency key of every message made of this record.
   */
  readonly key: Uid;
}

/**
 * Attributes of the film; '' where missing. Text is decoded; dates and times are DA and TM. (Types, not interfaces, so
 * that they can be used as maps of texts.)
 */
export type PatientFacts = {
  readonly PatientID: string;
  readonly IssuerOfPatientID: string;
  /** PN with ^ between its components. */
  readonly PatientName: string;
  readonly PatientBirthDate: string;
  readonly PatientSex: string;
};

export interface StudyFacts {
  readonly StudyID: string;
  readonly StudyDate: string;
  readonly StudyTime: string;
  readonly TimezoneOffsetFromUTC: string;
  readonly StudyDescription: string;
  readonly ReferringPhysicianName: string;
  readonly InstitutionName: string;
}

export type OrderFacts = {
  readonly AccessionNumber: string;
  /** Issuer of Accession Number Sequence: its Local Namespace Entity ID, else its Universal Entity ID. */
  readonly AccessionNumberIssuer: string;
  readonly PlacerOrderNumberImagingServiceRequest: string;
  readonly FillerOrderNumberImagingServiceRequest: string;
  readonly RequestedProcedureID: string;
  readonly RequestedProcedureDescription: string;
};

/** Patient, study and order attributes of a study in the archive. */
export type StudyAttributes = Pick<StudyRecord, 'patient' | 'study' | 'order'>;

export interface FilmRecord extends FilmResult {
  readonly seriesInstanceUid: Uid | null;
  readonly sopClassUid: Uid | null;
  /** CR or DX; '' where the archive has none. */
  readonly modality: string;
  /** View Position as the film has it: PA, AP, LL ... */
  readonly viewPosition: string;
  /** Earlier values of a film whose result is withdrawn; absent where they can't be read any more. */
  readonly withdrawn?: Pick<FilmResult, 'view' | 'findings' | 'lungFraction'>;
  /** The results that this one replaces and that can still be read, the oldest first; absent where there is none. */
  readonly earlier?: readonly FilmResult[];
  /** Remarks of the report: sentences for a radiologist, such as that the evidence may be outside of the lungs. */
  readonly remarks: readonly string[];
}
