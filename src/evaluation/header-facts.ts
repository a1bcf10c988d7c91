import { type Attributes, text } from '../dicom/attributes';

/** What a film's header says that films may be grouped by; nothing that tells a patient. */
const FACTS = ['sex', 'age', 'view', 'manufacturer', 'institution'] as const;
type Fact = (typeof FACTS)[number];
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

/**
 * What a film is grouped by: what the header says, and the labels file's columns. A column named like one of {@link
 * FACTS}, in whatever case, is the same thing and goes before the header where its cell is not empty; an age becomes
 * its band.
 */
export function groupsOf(
  facts: Facts,
  columns: Readonly<Record<string, string>>,
): Readonly<Record<string, string | undefined>> {
  const groups: Record<string, string | undefined> = { ...facts };
  for (const [column, cell] of Object.entries(columns)) {
    const fact = FACTS.find((name) => name === column.toLowerCase());
    if (fact === undefined) groups[column] = cell;
    else groups[fact] = (fact === 'age' ? bandOf(cell) : cell) || facts[fact];
  }
  return groups;
}

/** Years, or DICOM's AS; what is neither (a band of one's own) stays as it is. */
function bandOf(cell: string): string {
  const years = /^\d{1,3}([.,]\d+)?$/.test(cell) ? Number(cell.replace(',', '.')) : yearsOf(cell);
  return ageBand(years) ?? cell;
}

/** Patient's Age (AS, PS3.5 section 6.2), else from birth to study. */
function ageInYears(attributes: Attributes): number | undefined {
  const stated = yearsOf(text(attributes, 'PatientAge') ?? '');
  if (stated !== undefined) return stated;
  const [birth, study] = [date(text(attributes, 'PatientBirthDate')), date(text(attributes, 'StudyDate'))];
  if (birth === undefined || study === undefined || study < birth) return undefined;
  return (study - birth) / (365.25 * 86_400_000);
}

function yearsOf(age: string): number | undefined {
  const stated = /^(\d{3})([DWMY])$/.exec(age);
  return stated
    ? Number(stated[1]) / { D: 365.25, W: 52.18, M: 12, Y: 1 }[stated[2] as 'D' | 'W' | 'M' | 'Y']
    : undefined;
}

function date(value: string | undefined): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(value ?? '');
  return parts ? Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])) : undefined;
}
