import type { PatientIdentifier } from '../ris/changes';
import type { PatientFacts } from '../sinks/record';
import { sameValue } from './attributes';
import { summaryColumns, type SummaryColumns, type StudySummary } from './record-columns';

const KEYWORDS = ['PatientID', 'IssuerOfPatientID', 'PatientName', 'PatientBirthDate', 'PatientSex'] as const;
type Keyword = (typeof KEYWORDS)[number];

/** Corrections of a study's patient by the RIS, stored with the row as JSON. */
interface RisPatient {
  /** Time of sending of the last message (milliseconds since 1970). */
  readonly at: number;
  /** Value in the archive at that time, and value by the RIS. */
  readonly values: { readonly [keyword in Keyword]?: { readonly archive: string; readonly ris: string } };
}

type Texts = { readonly [keyword in Keyword]?: string };

const read = (stored: string | null): RisPatient | null =>
  stored === null ? null : (JSON.parse(stored) as RisPatient);

/**
 * Valid attributes of a patient: a correction by the RIS holds as long as the archive has the same value as at the time
 * of the message. If the archive's value has changed since, it was corrected there, and that holds.
 */
function held<T extends Texts>(archive: T, stored: string | null): { patient: T; stored: string | null } {
  const ris = read(stored);
  if (ris === null) return { patient: archive, stored };
  const values = Object.fromEntries(
    Object.entries(ris.values).filter(([keyword, value]) => {
      const now = archive[keyword as Keyword];
      return now === undefined || (sameValue(now, value.archive) && !sameValue(now, value.ris));
    }),
  ) as RisPatient['values'];
  // The issuer belongs to the identifier.
  if (values.PatientID === undefined) delete (values as { IssuerOfPatientID?: unknown }).IssuerOfPatientID;
  const shown = Object.entries(values).flatMap(([keyword, { ris: value }]) =>
    keyword in archive ? [[keyword, value]] : [],
  );
  return {
    patient: { ...archive, ...(Object.fromEntries(shown) as Texts) },
    stored: JSON.stringify({ at: ris.at, values } satisfies RisPatient),
  };
}

/** Columns of a row from the archive's summary, with corrections by the RIS applied. */
export function columnsWithRis(
  study: string,
  archive: StudySummary,
  stored: string | null,
): SummaryColumns & { readonly ris_patient: string | null } {
  const { patient, stored: ris_patient } = held(archive, stored);
  return { ...summaryColumns(study, patient), ris_patient };
}

/** The patient by whom verdicts are counted. */
export function patientWithRis(archive: PatientFacts, stored: string | null): PatientFacts {
  return held(archive, stored).patient;
}

/** The archive's values of a row, with corrections by the RIS undone, to compare them with the archive. */
export function summaryWithoutRis(shown: StudySummary, stored: string | null): StudySummary {
  const values = Object.entries(read(stored)?.values ?? {}).filter(([keyword]) => keyword in shown);
  return { ...shown, ...Object.fromEntries(values.map(([keyword, { archive }]) => [keyword, archive])) };
}

/** Time of the last correction by the RIS; null where there is none. */
export function risPatientAt(stored: string | null): number | null {
  return read(stored)?.at ?? null;
}

/**
 * Stored corrections after the RIS sends values, for these values in the archive, with the earlier ones.
 * @param at time of sending (milliseconds since 1970)
 */
export function correctedByRis(archive: Texts, said: Texts, stored: string | null, at: number): string {
  const before = read(stored)?.values ?? {};
  const values = KEYWORDS.flatMap((keyword) => {
    const now = said[keyword];
    const value = now === undefined ? before[keyword] : { archive: archive[keyword] ?? '', ris: now };
    return value === undefined || sameValue(value.archive, value.ris) ? [] : [[keyword, value] as const];
  });
  return JSON.stringify({ at, values: Object.fromEntries(values) } satisfies RisPatient);
}

/** The identifier in a message that is this patient's, by the archive or by the RIS; else undefined. */
export function identifierOf(
  identifiers: readonly PatientIdentifier[],
  { id, issuer }: { readonly id: string; readonly issuer: string },
  stored: string | null,
): PatientIdentifier | undefined {
  const { PatientID, IssuerOfPatientID } = read(stored)?.values ?? {};
  const known = [
    { id, issuer: IssuerOfPatientID?.ris ?? issuer },
    ...(PatientID === undefined ? [] : [{ id: PatientID.archive, issuer: IssuerOfPatientID?.archive ?? issuer }]),
  ];
  return identifiers.find((identifier) =>
    known.some((one) => one.id === identifier.id && isSameIssuer(one.issuer, identifier)),
  );
}

/** A missing issuer matches any. */
function isSameIssuer(issuer: string, { issuers }: PatientIdentifier): boolean {
  return issuer === '' || issuers.length === 0 || issuers.includes(issuer);
}
