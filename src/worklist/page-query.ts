import { type Expression, type ExpressionBuilder, type Kysely, sql, type SqlBool } from 'kysely';
import type { Priority } from '../events/priority';
import { fold } from './record-columns';
import type { Schema } from './schema';
import type { ShownState, Verdict } from './states';
import { ROW_COLUMNS, rowOf, type StudyRow } from './study-row';

interface PageFilters {
  readonly states?: readonly ShownState[];
  readonly priority?: Priority;
  readonly view?: 'frontal' | 'lateral';
  /** `none`: those that nobody has judged. */
  readonly verdict?: Verdict | 'none';
  /** Arrival, milliseconds since 1970: from (included) and before (not). */
  readonly arrivedFrom?: number;
  readonly arrivedBefore?: number;
}

export interface PageRequest {
  readonly filters?: PageFilters;
  /**
   * Words that must all be found in accession number, study description or Study Instance UID, and with `searchPatient`
   * in the patient's name or ID.
   */
  readonly search?: string;
  /** Whether this user may see patients: otherwise a search would tell. */
  readonly searchPatient: boolean;
  /** Within a priority, by arrival. */
  readonly order: PageOrder;
  /** `next` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

export const PAGE_ORDERS = ['oldest', 'newest'] as const;
type PageOrder = (typeof PAGE_ORDERS)[number];

export interface Page {
  readonly rows: readonly StudyRow[];
  /** Null on the last page. */
  readonly next: string | null;
}

type Position = readonly [urgency: number, arrivedAt: number, studyUid: string];
const MAX_WORDS = 8;

/** Urgent first, then by arrival. @throws RangeError for a cursor that is none of this order. */
export async function findPage(
  db: Kysely<Schema>,
  { filters = {}, search = '', searchPatient, order, cursor, limit }: PageRequest,
): Promise<Page> {
  const after = cursor === undefined ? null : readCursor(cursor, order);
  const arrival = order === 'oldest' ? sql<number>`arrived_at` : sql<number>`(-arrived_at)`;
  const found = await db
    .selectFrom('study')
    .select(ROW_COLUMNS)
    // In these words, so that the index of shown rows is used.
    .where(sql<SqlBool>`state <> 'left-alone'`)
    .where((eb) =>
      eb.and([...conditions(eb, filters), ...words(search).map((word) => hasWord(eb, word, searchPatient))]),
    )
    .$if(after !== null, (query) =>
      query.where(sql<SqlBool>`(urgency, ${arrival}, study_uid) > (${after![0]}, ${after![1]}, ${after![2]})`),
    )
    .orderBy('urgency')
    .orderBy(arrival)
    .orderBy('study_uid')
    .limit(limit + 1)
    .execute();
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return {
    rows: rows.map(rowOf),
    next:
      found.length > limit && last !== undefined
        ? writeCursor(order, [last.urgency, order === 'oldest' ? last.arrived_at : -last.arrived_at, last.study_uid])
        : null,
  };
}

function conditions(
  eb: ExpressionBuilder<Schema, 'study'>,
  { states, priority, view, verdict, arrivedFrom, arrivedBefore }: PageFilters,
): Expression<SqlBool>[] {
  const all: (Expression<SqlBool> | null)[] = [
    states === undefined ? null : states.length === 0 ? sql<SqlBool>`1 = 0` : eb('state', 'in', states),
    priority === undefined ? null : eb('urgency', '=', priority === 'urgent' ? 0 : 1),
    view === undefined ? null : eb('views', 'like', `%${view}%`),
    verdict === undefined ? null : verdict === 'none' ? eb('verdict', 'is', null) : eb('verdict', '=', verdict),
    arrivedFrom === undefined ? null : eb('arrived_at', '>=', arrivedFrom),
    arrivedBefore === undefined ? null : eb('arrived_at', '<', arrivedBefore),
  ];
  return all.filter((condition) => condition !== null);
}

function words(search: string): string[] {
  return fold(search)
    .split(' ')
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS);
}

function hasWord(eb: ExpressionBuilder<Schema, 'study'>, word: string, searchPatient: boolean): Expression<SqlBool> {
  const pattern = `%${word.replace(/[\\%_]/g, '\\$&')}%`;
  const contains = (column: 'search_study' | 'search_patient') =>
    sql<SqlBool>`${eb.ref(column)} like ${pattern} escape '\\'`;
  return searchPatient ? eb.or([contains('search_study'), contains('search_patient')]) : contains('search_study');
}

function writeCursor(order: PageOrder, position: Position): string {
  return Buffer.from(JSON.stringify([order, ...position])).toString('base64url');
}

function readCursor(cursor: string, wanted: PageOrder): Position {
  try {
    const [order, urgency, arrivedAt, study] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (order === wanted && Number.isInteger(urgency) && Number.isInteger(arrivedAt) && typeof study === 'string')
      return [urgency as number, arrivedAt as number, study];
  } catch {
    // Told below.
  }
  throw new RangeError('not a cursor of this list');
}
