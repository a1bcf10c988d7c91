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

/** Value type, concept, encoded value, units. */
type Observation = readonly [type: 'CWE' | 'NM' | 'ST' | 'TX', concept: string, value: string, units?: Code];

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
    ...ofStudy(record).map((row) => ({ row, group: '', status: STATUS_CODES[studyStatus(record)] })),
    ...record.films.flatMap((film, index) =>
      [
        ...earlier(film, record),
        ...ofFilm(film).map((row) => ({ row, status: STATUS_CODES[filmStatus(film, record)] })),
      ].map((observation) => ({ ...observation, group: String(index + 1) })),
    ),
  ];
  return rows.map(({ row, ...place }, index) => segmentOf(row, { ...place, index: index + 1 }, record));
}

/** OBX-8 stays empty: Hilum never calls a result normal or abnormal. */
function segmentOf(
  [type, concept, value, units]: Observation,
  { group, status, index }: { readonly group: string; readonly status: string; readonly index: number },
  { completedAt, softwareVersion }: StudyRecord,
): string {
  return numbered('OBX', {
    1: String(index),
    2: type,
    3: concept,
    4: group,
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
function earlier(film: FilmRecord, { correction }: StudyRecord): { row: Observation; status: 'W' | 'D' }[] {
  if (correction !== undefined || !isWithdrawn(film)) return [];
  const { withdrawn, supersedes = [], reason } = film;
  const status = reason === 'incorrect-worklist-entry' ? 'W' : 'D';
  const rows = [
    ...(withdrawn === undefined ? [] : found(withdrawn)),
    ...supersedes.map((uid) => text('ST', DELIVERY_CODES.report, uid)),
  ];
  return rows.map((row) => ({ row, status }));
}

/** OBX of view, findings and lungs. */
function found({
  view,
  findings,
  lungFraction,
}: Pick<FilmRecord, 'view' | 'findings' | 'lungFraction'>): Observation[] {
  return [
    ...(view === null ? [] : [['CWE', code(CODES.imageView), code(VIEW_CODES[view])] as const]),
    ...liveFindings(findings).flatMap(findingObservations),
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
