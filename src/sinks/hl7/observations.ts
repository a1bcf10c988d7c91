import { liveFindings } from '../../finding/finding';
import type { Code } from '../../dicom/code';
import type { Finding } from '../../events/finding';
import { components, escapeText, numbered, timestampOf } from '../../hl7/text';
import { CODES } from '../../objects/codes';
import { reportOf } from '../../objects/film-result';
import type { FilmRecord, StudyRecord } from '../record';
import {
  DELIVERY_CODES,
  filmStatement,
  filmStatus,
  isWithdrawn,
  type ResultStatus,
  studyStatus,
  VIEW_CODES,
} from '../statements';

/** Value type, concept, encoded value, units, and the finding that it belongs to, from 1. */
type Observation = readonly [
  type: 'CWE' | 'NM' | 'ST' | 'TX',
  concept: string,
  value: string,
  units?: Code | undefined,
  finding?: number,
];

const code = ({ value, meaning, scheme }: Code) => components(value, meaning, scheme);
const text = (type: 'ST' | 'TX', concept: Code, value: string): Observation => [type, code(concept), escapeText(value)];
const number = (concept: string, value: number): Observation => [`NM`, concept, decimal(value), CODES.noUnits];

/** A share as NM, which has no exponent (HL7 v2.5.1 section 2.A.47). */
function decimal(share: number): string {
  const [digits = '', exponent] = String(share).split('e-');
  return exponent === undefined ? digits : `0.${'0'.repeat(Number(exponent) - 1)}${digits.replace('.', '')}`;
}

/**
 * Observation status (table 0085): preliminary, as no person has read it; or corrected, which replaces earlier values.
 * A withdrawn film's result is corrected too; its earlier values are sent once more (`earlier`).
 */
const STATUS_CODES: Readonly<Record<ResultStatus, string>> = { preliminary: 'P', corrected: 'C', withdrawn: 'C' };

/** OBX segments: first those about the study, then each film's as a group with its own OBX-4, from 1. */
export function observations(record: StudyRecord): string[] {
  const rows = [
    ...placed(ofStudy(record), 0, STATUS_CODES[studyStatus(record)]),
    ...record.films.flatMap((film, index) => [
      ...placed(earlier(film, record), index + 1, film.reason === 'incorrect-worklist-entry' ? 'W' : 'D'),
      ...placed(ofFilm(film), index + 1, STATUS_CODES[filmStatus(film, record)]),
    ]),
  ];
  return rows.map(({ row, ...place }, index) => segmentOf(row, { ...place, index: index + 1 }, record));
}

/**
 * Observations with status and OBX-4: the group, none for 0. OBX-4 distinguishes observations of the same OBX-3 (HL7
 * v2.5.1 section 7.4.2.4): further ones have their number behind it, as a receiver may keep only the last of equals.
 */
function placed(rows: readonly Observation[], group: number, status: string) {
  const counts = new Map<string, number>();
  return rows.map((row) => {
    const [, concept, , , finding] = row;
    const count = finding ?? (counts.get(concept) ?? 0) + 1;
    counts.set(concept, count);
    const subId = count > 1 ? `${group}.${count}` : group === 0 ? '' : String(group);
    return { row, subId, status };
  });
}

/** OBX-8 stays empty: Hilum never calls a result normal or abnormal. */
function segmentOf(
  [type, concept, value, units]: Observation,
  { subId, status, index }: { readonly subId: string; readonly status: string; readonly index: number },
  { completedAt, softwareVersion }: StudyRecord,
): string {
  return numbered('OBX', {
    1: String(index),
    2: type,
    3: concept,
    4: subId,
    5: value,
    6: units === undefined ? '' : code(units),
    11: status,
    14: timestampOf(completedAt),
    18: components(`Hilum ${softwareVersion}`),
  });
}

function ofStudy({ studyInstanceUid, priority, models }: StudyRecord): Observation[] {
  return [
    text('ST', DELIVERY_CODES.studyUid, studyInstanceUid),
    ...(priority === null ? [] : [text('ST', CODES.priority, priority)]),
    ...models.map(({ id, version }) => text('ST', CODES.model, `${id} ${version}`)),
  ];
}

/**
 * The earlier values of a film whose result is withdrawn, with the status of table 0085 that withdraws them: W (post
 * original as wrong, e.g., transmitted for wrong patient) or D (deletes the OBX record). The earlier reports are known
 * even where they can't be read any more. Not in a correction: that patient never had these values.
 */
function earlier(film: FilmRecord, { correction }: StudyRecord): Observation[] {
  if (correction !== undefined || !isWithdrawn(film)) return [];
  const { withdrawn, supersedes = [] } = film;
  return [
    ...(withdrawn === undefined ? [] : found(withdrawn)),
    ...supersedes.map((uid) => text('ST', DELIVERY_CODES.report, uid)),
  ];
}

/** OBX of view, findings and lungs. */
function found({
  view,
  findings,
  lungFraction,
}: Pick<FilmRecord, 'view' | 'findings' | 'lungFraction'>): Observation[] {
  return [
    ...(view === null ? [] : [['CWE', code(CODES.imageView), code(VIEW_CODES[view])] as const]),
    ...liveFindings(findings).flatMap((finding, index) =>
      findingObservations(finding).map(
        ([type, concept, value, units]) => [type, concept, value, units, index + 1] as const,
      ),
    ),
    ...(lungFraction === null ? [] : [number(code(CODES.lungFraction), lungFraction)]),
  ];
}

function ofFilm(film: FilmRecord): Observation[] {
  const report = reportOf(film);
  return [
    text('ST', DELIVERY_CODES.film, film.sopInstanceUid),
    text('ST', CODES.outcome, film.outcome),
    text('TX', CODES.summary, filmStatement(film)),
    ...found(film),
    ...(film.reason === null ? [] : [text('ST', CODES.reason, film.reason)]),
    ...(film.reasonText === null ? [] : [text('TX', CODES.reasonText, film.reasonText)]),
    ...film.remarks.map((remark) => text('TX', CODES.remark, remark)),
    ...(report === undefined ? [] : [text('ST', DELIVERY_CODES.report, report.sopInstanceUid)]),
    ...(film.supersedes ?? []).map((uid) => text('ST', DELIVERY_CODES.replaces, uid)),
  ];
}

/** The finding is what the probability is about; it is not sent as an observation that it is present. */
function findingObservations({ probability, operatingPoint, code: what }: Finding): Observation[] {
  const both = [CODES.exactProbability, CODES.probability].flatMap(({ value, meaning, scheme }) => [
    value,
    meaning,
    scheme,
  ]);
  return [
    ['CWE', code(DELIVERY_CODES.positiveClass), code(what)],
    number(components(...both), probability),
    ...(operatingPoint === null ? [] : [number(code(DELIVERY_CODES.operatingPoint), operatingPoint)]),
  ];
}
