import { type Attributes, text } from '../dicom/attributes';
import { ageInYears, yearsOf } from '../dicom/patient-age';

/** Properties in a film's header that films are grouped by; none identifies a patient. */
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

/** Age band: 0-17, 18-39, 40-59, 60-79, 80 and over. */
export function ageBand(years: number | undefined): string | undefined {
  if (years === undefined) return undefined;
  const at = BANDS.findLastIndex((from) => years >= from);
  const next = BANDS[at + 1];
  return next === undefined ? `${BANDS[at]} and over` : `${BANDS[at]}-${next - 1}`;
}

/**
 * Groups of a film, from the header and the labels file's columns. A non-empty cell in a column named like one of
 * {@link FACTS}, in whatever case, replaces the header's value; an age becomes its band.
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

/** Band of an age in years or in DICOM's AS; anything else, such as a site's own band, stays unchanged. */
function bandOf(cell: string): string {
  const years = /^\d{1,3}([.,]\d+)?$/.test(cell)
    ? Number(cell.replace(',', '.'))
    : /^\d{3}[DWMY]$/.test(cell)
      ? yearsOf(cell)
      : undefined;
  return ageBand(years) ?? cell;
}
