import { type Attributes, type Keyword, text } from './attributes';

/** Dates of the exposure or near it, the most reliable first. */
const DATES: readonly Keyword[] = ['StudyDate', 'AcquisitionDate', 'AcquisitionDateTime', 'ContentDate', 'SeriesDate'];
const YEARS_PER = { D: 1 / 365.25, W: 7 / 365.25, M: 1 / 12, Y: 1 } as const;

/**
 * Age in years: Patient's Age (0010,1010), else completed years from Patient's Birth Date to the date of the film.
 * Where the age is zero and the birth date says otherwise, the birth date is used. Undefined where neither is known.
 */
export function ageInYears(attributes: Attributes): number | undefined {
  const stated = yearsOf(text(attributes, 'PatientAge') ?? '');
  const counted = completedYears(attributes);
  return stated === 0 ? (counted ?? stated) : (stated ?? counted);
}

/** AS (PS3.5 section 6.2), or common misspellings: fewer digits, small letters, years without a unit. */
export function yearsOf(age: string): number | undefined {
  const stated = /^(\d{1,3})\s*([DWMY]?)$/i.exec(age.trim());
  if (stated === null) return undefined;
  return Number(stated[1]) * YEARS_PER[(stated[2]!.toUpperCase() || 'Y') as keyof typeof YEARS_PER];
}

function completedYears(attributes: Attributes): number | undefined {
  const birth = dateOf(text(attributes, 'PatientBirthDate'));
  const film = DATES.map((keyword) => dateOf(text(attributes, keyword))).find((date) => date !== undefined);
  if (birth === undefined || film === undefined || film < birth) return undefined;
  return Math.floor((film - birth) / 10_000);
}

/** DA, also in ACR-NEMA form (1970.01.31), or the date of a DT: YYYYMMDD as a number. */
function dateOf(value: string | undefined): number | undefined {
  const parts = /^(\d{4})[.-]?(0[1-9]|1[0-2])[.-]?([0-2]\d|3[01])/.exec(value ?? '');
  return parts === null ? undefined : Number(`${parts[1]}${parts[2]}${parts[3]}`);
}
