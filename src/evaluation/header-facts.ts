import { text, type Attributes } from '../dicom/attributes';

/** What a film's header says that films may be grouped by; nothing that tells a patient. */
export const FACTS = ['sex', 'age', 'view', 'manufacturer', 'institution'] as const;
export type Fact = (typeof FACTS)[number];
export type Facts = Readonly<Partial<Record<Fact, string>>>;

export function factsOf(attributes: Attributes): Facts {
  const found: Record<Fact, string | undefined> = {
    sex: text(attributes, 'PatientSex'),
    age: ageBand(ageInYears(attributes)),
    view: text(attributes, 'ViewPosition')?.toUpperCase(),
    manufacturer: text(attributes, 'Manufacturer'),
    institution: text(attributes, 'InstitutionName'),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value !== ''));
}

const BANDS = [0, 18, 40, 60, 80] as const;

/** 0-17, 18-39, 40-59, 60-79, 80 and over. */
export function ageBand(years: number | undefined): string | undefined {
  if (years === undefined) return undefined;
  const at = BANDS.findLastIndex((from) => years >= from);
  const next = BANDS[at + 1];
  return next === undefined ? `${BANDS[at]} and over` : `${BANDS[at]}-${next - 1}`;
}

/** Patient's Age (AS, PS3.5 section 6.2), else from birth to study. */
function ageInYears(attributes: Attributes): number | undefined {
  const stated = /^(\d{3})([DWMY])$/.exec(text(attributes, 'PatientAge') ?? '');
  if (stated) return Number(stated[1]) / { D: 365.25, W: 52.18, M: 12, Y: 1 }[stated[2] as 'D' | 'W' | 'M' | 'Y'];
  const [birth, study] = [date(text(attributes, 'PatientBirthDate')), date(text(attributes, 'StudyDate'))];
  if (birth === undefined || study === undefined || study < birth) return undefined;
  return (study - birth) / (365.25 * 86_400_000);
}

function date(value: string | undefined): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(value ?? '');
  return parts ? Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])) : undefined;
}
