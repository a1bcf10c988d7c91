import type { Uid } from '../dicom/uid';
import type { Priority } from '../events/priority';
import type { Correction, FilmResult } from '../events/result-event';

/**
 * All that the reading list and the hospital's other systems say of one study's result: one record, several encoders.
 * It is read from the archive (the reports of Hilum and the header of a film) when a result event arrives, as the event
 * itself holds nothing about the patient. Never log it.
 */
export interface StudyRecord {
  readonly studyInstanceUid: Uid;
  readonly patient: PatientFacts;
  readonly study: StudyFacts;
  readonly order: OrderFacts;
  /**
   * By the finding: `urgent`, `routine`, or null where no film was analysed. Never a statement that a study is normal.
   */
  readonly priority: Priority | null;
  /**
   * The highest priority of the results that this one takes the place of; absent where there is none, or none that can
   * be read any more.
   */
  readonly supersededPriority?: Priority;
  /** Absent but where patient or order were corrected since the result was told. */
  readonly correction?: Correction;
  readonly films: readonly FilmRecord[];
  /** Modalities of the series that were left alone; given where there is no film. */
  readonly skipped?: readonly string[];
  readonly models: readonly { readonly id: string; readonly version: string }[];
  /** Software version of the service that wrote the reports. */
  readonly softwareVersion: string;
  /** ISO 8601, UTC. */
  readonly completedAt: string;
  /**
   * The same for the same content, whenever it is delivered: the idempotent key of every message made of this record.
   */
  readonly key: Uid;
}

/**
 * As the film has them; '' where it does not. Text is decoded already, dates and times are DA and TM. (Types, not
 * interfaces: only those pass for a map of texts, which they are in a message.)
 */
export type PatientFacts = {
  readonly PatientID: string;
  readonly IssuerOfPatientID: string;
  /** PN, components divided by ^. */
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

/** What the archive says of a study beside its films. */
export type StudyAttributes = Pick<StudyRecord, 'patient' | 'study' | 'order'>;

export interface FilmRecord extends FilmResult {
  readonly seriesInstanceUid: Uid | null;
  readonly sopClassUid: Uid | null;
  /** CR or DX; '' where the archive has none. */
  readonly modality: string;
  /** View Position as the film has it: PA, AP, LL ... */
  readonly viewPosition: string;
  /** What was told of the film before its result was withdrawn; absent where that can't be read any more. */
  readonly withdrawn?: Pick<FilmResult, 'view' | 'findings' | 'lungFraction'>;
  /** The report's remarks: sentences for a radiologist, such as that the evidence may lie outside the lungs. */
  readonly remarks: readonly string[];
}
