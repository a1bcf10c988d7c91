import type { Priority } from '../events/priority';

/** An identifier of a patient, with the names of who assigned it; none where the message does not tell. */
export interface PatientIdentifier {
  readonly id: string;
  readonly issuers: readonly string[];
}

/** An order by its accession number, with the identifiers of its patient; none: the number alone tells. */
export interface OrderReference {
  readonly accessionNumber: string;
  readonly patient: readonly PatientIdentifier[];
}

/** What a message says of a patient, in the terms of DICOM; '' where it deletes the value. What is absent stays. */
export interface Demographics {
  readonly PatientName?: string;
  readonly PatientBirthDate?: string;
  readonly PatientSex?: string;
}

/** What a message of the RIS changes. Times in milliseconds since 1970. */
export type RisChange =
  | {
      readonly kind: 'final-report';
      readonly order: OrderReference;
      readonly readAt: number;
      /** The same on the site's clock, as Study Date and Time are: YYYYMMDDhhmmss. */
      readonly readOnWallClock: string;
    }
  /** Null: the order is cancelled, and with it what it said. */
  | { readonly kind: 'order-priority'; readonly order: OrderReference; readonly priority: Priority | null }
  | {
      readonly kind: 'patient';
      readonly patient: readonly PatientIdentifier[];
      readonly demographics: Demographics;
    }
  /** The patient of `prior` is the one of `patient`. */
  | {
      readonly kind: 'merge';
      readonly prior: readonly PatientIdentifier[];
      readonly patient: readonly PatientIdentifier[];
      readonly demographics: Demographics;
    };

/** A message of the RIS, as the list takes it. Never log it. */
export interface RisMessage {
  /** The same when the same message is sent again. */
  readonly digest: string;
  /** MSH-7, at the latest now: what was sent earlier never takes the place of what was sent later. */
  readonly sentAt: number;
  readonly changes: readonly RisChange[];
}

/**
 * What the list made of a message. `kept`: of studies that it does not have yet; `patient-differs`: kept too, as it has
 * the accession number with another patient; `ignored`: of patients that it does not have; `repeated`: taken before.
 */
export type TakenAs = 'applied' | 'kept' | 'patient-differs' | 'ignored' | 'repeated';

/** Port: the list; `worklist/ris-store` fits it. */
export interface RisStore {
  /**
   * Resolves when all of the message is committed. @param sender for the audit trail
   * @throws HilumError of the database and of the audit trail: nothing of the message holds
   */
  take(message: RisMessage, sender: RisSender): Promise<TakenAs>;
}

export interface RisSender {
  /** MSH-3 and MSH-4. */
  readonly application: string;
  readonly facility: string;
  readonly address: string;
}
