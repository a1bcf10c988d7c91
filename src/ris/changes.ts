import type { Priority } from '../events/priority';

/** Identifier of a patient, and the names of its assigning authority; none where the message has none. */
export interface PatientIdentifier {
  readonly id: string;
  readonly issuers: readonly string[];
}

/** An order by its accession number, with its patient's identifiers; if there are none, the number alone counts. */
export interface OrderReference {
  readonly accessionNumber: string;
  readonly patient: readonly PatientIdentifier[];
}

/**
 * Patient attributes of a message in terms of DICOM; '' where it deletes the value; absent where it does not mention
 * it.
 */
export interface Demographics {
  readonly PatientName?: string;
  readonly PatientBirthDate?: string;
  readonly PatientSex?: string;
}

/** A change that a message of the RIS makes. Times in milliseconds since 1970. */
export type RisChange =
  | {
      readonly kind: 'final-report';
      readonly order: OrderReference;
      readonly readAt: number;
      /** The same in the site's time zone, as Study Date and Time: YYYYMMDDhhmmss. */
      readonly readOnWallClock: string;
    }
  /** Null: the order is cancelled, and its priority with it. */
  | { readonly kind: 'order-priority'; readonly order: OrderReference; readonly priority: Priority | null }
  | {
      readonly kind: 'patient';
      readonly patient: readonly PatientIdentifier[];
      readonly demographics: Demographics;
    }
  /** Merge: the patient `prior` is now the patient `patient`. */
  | {
      readonly kind: 'merge';
      readonly prior: readonly PatientIdentifier[];
      readonly patient: readonly PatientIdentifier[];
      readonly demographics: Demographics;
    };

/** A parsed message of the RIS. Never log it. */
export interface RisMessage {
  /** The same for the same message sent again. */
  readonly digest: string;
  /** MSH-7, but not later than now: what was sent earlier never replaces what was sent later. */
  readonly sentAt: number;
  readonly changes: readonly RisChange[];
}

/**
 * What the list did with a message. `applied`; `kept`: for studies that it does not have yet; `patient-differs`: kept
 * too, because the accession number belongs to another patient's study; `ignored`: about patients that it does not
 * have; `repeated`: received before.
 */
export type TakenAs = 'applied' | 'kept' | 'patient-differs' | 'ignored' | 'repeated';

/** Port: the reading list; `worklist/ris-store` fits it. */
export interface RisStore {
  /**
   * Resolves when all changes of the message are committed.
   * @param sender for the audit trail
   * @throws HilumError of the database and of the audit trail: then nothing is changed
   */
  take(message: RisMessage, sender: RisSender): Promise<TakenAs>;
}

export interface RisSender {
  /** Sending application and facility (MSH-3, MSH-4). */
  readonly application: string;
  readonly facility: string;
  readonly address: string;
}
