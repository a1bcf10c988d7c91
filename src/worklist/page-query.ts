import { type Kysely, type RawBuilder, sql, type SqlBool } from 'kysely';
import type { Priority } from '../events/priority';
import type { DatabaseKind } from './migrations/migration';
import type { Schema } from './schema';
import { type Condition, matching, planOf, type Search, searchOf } from './search';
import type { ShownState, Verdict } from './states';
import { ROW_COLUMNS, rowOf, type StudyRow } from './study-row';

interface PageFilters {
  readonly states?: readonly ShownState[];
  readonly priority?: Priority;
  readonly view?: 'frontal' | 'lateral';
  /** `none`: studies without a verdict. */
  readonly verdict?: Verdict | 'none';
  /** Arrival (milliseconds since 1970): from (included) and before (excluded). */
  readonly arrivedFrom?: number;
  readonly arrivedBefore?: number;
  /** Reading state; absent: all. */
  readonly work?: WorkFilter;
  /** Include radiographs of other body parts, which are left out otherwise. */
  readonly withHidden?: boolean;
}

/** Times in milliseconds since 1970. */
export type WorkFilter =
  | { readonly kind: 'unread' }
  /** Claimed by this user. */
  | { readonly kind: 'mine'; readonly by: string; readonly now: number }
  | { readonly kind: 'read'; readonly from: number };

/** Selection of studies. */
export interface Selection {
  readonly filters?: PageFilters;
  /**
   * Words that must all be in the Study Instance UID or, with `searchPatient`, in the patient's name or ID, the
   * accession number or the study description: words of one or two characters at the beginning of a word, longer ones
   * anywhere.
   */
  readonly search?: string;
  /** Whether the user may see patients. A search covers only what the row shows to the user. */
  readonly searchPatient: boolean;
}

export interface PageRequest extends Selection {
  /** Order by arrival within a priority. */
  readonly order: PageOrder;
  /** `next` of the previous page. */
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

export interface SelectedCount {
  readonly studies: number;
  readonly urgent: number;
}

type Position = readonly [urgency: number, arrival: number, studyUid: string];
interface Key {
  readonly study_uid: string;
  readonly urgency: number;
  readonly arrival: number;
}

type Arrival = 'arrived_at' | 'newest_key';

/** Parts of a request for {@link findKeys}. */
interface Asked {
  readonly filters: readonly Condition[];
  readonly search: Search | null;
  /** Column of the order. */
  readonly arrival: Arrival;
  readonly after: Position | null;
  /** One more than the page, to know whether there is another. */
  readonly limit: number;
  /** Whether few studies match, so that finding and sorting them is faster than walking the list in its order. */
  readonly isFew: boolean;
}

/** Number of entries after the filters that a search looks at first, in order. */
const FIRST_LOOK = 1_000;
/** Largest urgency in a valid cursor. */
const MAX_URGENCY = 9;

/** Urgent first, then by arrival. @throws RangeError for an invalid cursor */
export async function findPage(db: Kysely<Schema>, kind: DatabaseKind, request: PageRequest): Promise<Page> {
  const { filters = {}, search = '', searchPatient, order, cursor, limit } = request;
  const arrival = order === 'oldest' ? 'arrived_at' : 'newest_key';
  const found = await findKeys(db, kind, {
    filters: conditions(filters, arrival),
    isFew: filters.work?.kind === 'mine' || filters.work?.kind === 'read',
    search: searchOf(search, searchPatient),
    arrival,
    after: cursor === undefined ? null : readCursor(cursor, order),
    limit: limit + 1,
  });
  const keys = found.slice(0, limit);
  const last = keys.at(-1);
  return {
    rows: await readRows(db, kind, keys),
    next:
      found.length > limit && last !== undefined
        ? writeCursor(order, [last.urgency, last.arrival, last.study_uid])
        : null,
  };
}

/** Number of studies in a selection. */
export async function countSelected(
  db: Kysely<Schema>,
  kind: DatabaseKind,
  { filters = {}, search = '', searchPatient }: Selection,
): Promise<SelectedCount> {
  const all = conditions(filters, 'arrived_at');
  const wanted = searchOf(search, searchPatient);
  const found = wanted === null ? [] : (await planOf(db, kind, wanted)).conditions;
  const { rows } = await sql<SelectedCount>`
    select count(*) as studies, count(case when urgency = 0 then 1 end) as urgent
    from list_entry ${where([...found, ...all])}`.execute(db);
  return rows[0]!;
}

/**
 * Without a search, the index of the order covers all filters. A search that may have many matches looks at the next
 * entries only, which fills most pages. Where too few of these match, all matches are found and sorted: then they are
 * few, or scanning the narrow entries is the best plan.
 */
async function findKeys(db: Kysely<Schema>, kind: DatabaseKind, asked: Asked): Promise<readonly Key[]> {
  const { filters, search, arrival, after, limit, isFew } = asked;
  // An expression, which no index has, keeps the database from walking the list in its order.
  const unordered = sql`urgency + 0`;
  if (search === null) {
    const urgency = isFew ? unordered : sql`urgency`;
    return (await keys([...filters, ...behind(after, arrival, urgency)], arrival, urgency, limit).execute(db)).rows;
  }
  const { conditions: found, share } = await planOf(db, kind, search);
  const look = FIRST_LOOK + 2 * limit;
  if (!isFew && (share === null || share * look >= limit)) {
    const near = await lookNear(db, asked, search, look);
    if (near.isAll || near.found.length === limit) return near.found;
  }
  const all = [...found, ...filters, ...behind(after, arrival, unordered)];
  return (await keys(all, arrival, unordered, limit).execute(db)).rows;
}

const keys = (all: readonly Condition[], arrival: Arrival, urgency: RawBuilder<unknown>, limit: number) => sql<Key>`
  select study_uid, urgency, ${sql.ref(arrival)} as arrival from list_entry ${where(all)}
  order by ${urgency}, ${sql.ref(arrival)}, study_uid limit ${limit}`;

/** `isAll`: there are no more entries after those that were looked at. */
async function lookNear(
  db: Kysely<Schema>,
  { filters, arrival, after, limit }: Asked,
  search: Search,
  look: number,
): Promise<{ readonly found: readonly Key[]; readonly isAll: boolean }> {
  const { rows } = await sql<Key>`
    with near as materialized (
      select study_uid, urgency, ${sql.ref(arrival)} as arrival, search_study, search_patient
      from list_entry ${where([...filters, ...behind(after, arrival, sql`urgency`)])}
      order by urgency, ${sql.ref(arrival)}, study_uid limit ${look})
    select study_uid, urgency, arrival from near ${where(matching(search))}
    union all select '', -1, count(*) from near
    order by urgency, arrival, study_uid limit ${limit + 1}`.execute(db);
  const [looked, ...found] = rows;
  return { found, isAll: looked!.arrival < look };
}

function behind(after: Position | null, arrival: Arrival, urgency: RawBuilder<unknown>): readonly Condition[] {
  return after === null
    ? []
    : [sql`(${urgency}, ${sql.ref(arrival)}, study_uid) > (${after[0]}, ${after[1]}, ${after[2]})`];
}

function where(all: readonly Condition[]): RawBuilder<unknown> {
  return all.length === 0 ? sql`` : sql`where ${sql.join([...all], sql` and `)}`;
}

/** On the columns of the order's index. */
function conditions(
  { states, priority, view, verdict, arrivedFrom, arrivedBefore, work, withHidden = false }: PageFilters,
  arrival: Arrival,
): readonly Condition[] {
  const arrived = (isBefore: boolean, at: number): Condition =>
    arrival === 'arrived_at'
      ? sql`arrived_at ${sql.raw(isBefore ? '<' : '>=')} ${at}`
      : sql`newest_key ${sql.raw(isBefore ? '>' : '<=')} ${-at}`;
  const all: (Condition | null)[] = [
    states === undefined ? null : states.length === 0 ? sql`1 = 0` : sql`state in (${sql.join([...states])})`,
    priority === undefined ? null : sql`urgency = ${priority === 'urgent' ? 0 : 1}`,
    view === undefined ? null : sql`${sql.ref(`${view}_view`)} = 1`,
    verdict === undefined ? null : verdict === 'none' ? sql`verdict is null` : sql`verdict = ${verdict}`,
    arrivedFrom === undefined ? null : arrived(false, Math.ceil(arrivedFrom)),
    arrivedBefore === undefined ? null : arrived(true, Math.ceil(arrivedBefore)),
    work === undefined ? null : working(work),
    // Not `= 0`: PostgreSQL estimates that as rare before it has statistics, and sorts instead of walking the index.
    withHidden ? null : sql`hidden < 1`,
  ];
  return all.filter((condition) => condition !== null);
}

/** Claims are not in the entries: they change often, and few are valid. */
function working(work: WorkFilter): Condition {
  switch (work.kind) {
    case 'unread':
      return sql`unread > 0`;
    case 'mine':
      return sql`study_uid in (select study_uid from study
        where claimed_by_id = ${work.by} and claimed_until > ${work.now})`;
    case 'read':
      return sql`read_at >= ${work.from}`;
  }
}

async function readRows(db: Kysely<Schema>, kind: DatabaseKind, found: readonly Key[]): Promise<StudyRow[]> {
  if (found.length === 0) return [];
  const uids = found.map(({ study_uid }) => study_uid);
  const among =
    kind === 'sqlite'
      ? sql<SqlBool>`study_uid in (select value from json_each(${JSON.stringify(uids)}))`
      : sql<SqlBool>`study_uid = any(${uids})`;
  const stored = await db.selectFrom('study').select(ROW_COLUMNS).where(among).execute();
  const byUid = new Map(stored.map((row) => [row.study_uid, row]));
  return uids.flatMap((uid) => {
    const row = byUid.get(uid);
    return row === undefined ? [] : [rowOf(row)];
  });
}

function writeCursor(order: PageOrder, position: Position): string {
  return Buffer.from(JSON.stringify([order, ...position])).toString('base64url');
}

function readCursor(cursor: string, wanted: PageOrder): Position {
  try {
    const [order, urgency, arrivedAt, study] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    const isWhole = [urgency, arrivedAt].every(Number.isSafeInteger) && Math.abs(urgency as number) <= MAX_URGENCY;
    if (order === wanted && isWhole && typeof study === 'string' && /^[0-9.]{1,64}$/.test(study))
      return [urgency as number, arrivedAt as number, study];
  } catch {
    // See below.
  }
  throw new RangeError('not a cursor of this list');
}
