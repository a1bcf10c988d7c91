import type { PatientIdentifier } from '../ris/changes';
import type { PatientFacts } from '../sinks/record';
import { sameValue } from './attributes';
import { summaryColumns, type SummaryColumns, type StudySummary } from './record-columns';

const KEYWORDS = ['PatientID', 'IssuerOfPatientID', 'PatientName', 'PatientBirthDate', 'PatientSex'] as const;
type Keyword = (typeof KEYWORDS)[number];

/** What the RIS has corrected of a study's patient, as it is stored with the row, as JSON. */
interface RisPatient {
  /** When the message was sent that said so last (milliseconds since 1970). */
  readonly at: number;
  /** What the archive had then, and what the RIS said. */
  readonly values: { readonly [keyword in Keyword]?: { readonly archive: string; readonly ris: string } };
}

type Texts = { readonly [keyword in Keyword]?: string };

const read = (stored: string | null): RisPatient | null =>
  stored === null ? null : (JSON.parse(stored) as RisPatient);

/**
 * What holds of a patient of whom the archive says this: a word of the RIS, as long as the archive says what it said
 * then. Where the archive says something else since, it was corrected there, and that holds.
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
  // Who assigned an identifier goes with it.
  if (values.PatientID === undefined) delete (values as { IssuerOfPatientID?: unknown }).IssuerOfPatientID;
  const shown = Object.entries(values).flatMap(([keyword, { ris: value }]) =>
    keyword in archive ? [[keyword, value]] : [],
  );
  return {
    patient: { ...archive, ...(Object.fromEntries(shown) as Texts) },
    stored: JSON.stringify({ at: ris.at, values } satisfies RisPatient),
  };
}

/** The columns of a row whose study the archive lists so, with what the RIS has corrected. */
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

/** What the archive says of a study that is shown so: it is compared with the archive. */
export function summaryWithoutRis(shown: StudySummary, stored: string | null): StudySummary {
  const values = Object.entries(read(stored)?.values ?? {}).filter(([keyword]) => keyword in shown);
  return { ...shown, ...Object.fromEntries(values.map(([keyword, { archive }]) => [keyword, archive])) };
}

/** When the RIS said something of the patient last; null where it did not. */
export function risPatientAt(stored: string | null): number | null {
  return read(stored)?.at ?? null;
}

/**
 * What is stored when the RIS says this of a patient of whom the archive says that, with what it said before.
 * @param at when the message was sent (milliseconds since 1970)
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

/** The identifier among those of a message that is this patient's, by the archive or by the RIS; else undefined. */
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

/** Where one is not told, nothing speaks against it. */
function isSameIssuer(issuer: string, { issuers }: PatientIdentifier): boolean {
  return issuer === '' || issuers.length === 0 || issuers.includes(issuer);
}
