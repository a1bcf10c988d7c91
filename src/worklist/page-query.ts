import { type Kysely, type SelectQueryBuilder, sql, type SqlBool } from 'kysely';
import type { Priority } from '../events/priority';
import type { DatabaseKind } from './migrations/migration';
import type { ListEntryTable, Schema } from './schema';
import { candidates, matching, type Search, searchOf } from './search';
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

/** Which studies are asked for. */
export interface Selection {
  readonly filters?: PageFilters;
  /**
   * Words that must all be found in accession number, study description or Study Instance UID, and with `searchPatient`
   * in the patient's name or ID: those of one or two characters where a word begins, longer ones anywhere.
   */
  readonly search?: string;
  /** Whether this user may see patients: otherwise a search would tell. */
  readonly searchPatient: boolean;
}

export interface PageRequest extends Selection {
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

type Position = readonly [urgency: number, arrival: number, studyUid: string];
interface Key {
  readonly study_uid: string;
  readonly urgency: number;
  readonly arrival: number;
}

/** What {@link findKeys} needs of a request. */
interface Asked {
  readonly filters: readonly Condition[];
  readonly search: Search | null;
  /** The column of the order. */
  readonly arrival: 'arrived_at' | 'newest_key';
  readonly after: Position | null;
  /** One more than the page has: whether there is another. */
  readonly limit: number;
}

type Condition = ReturnType<typeof sql<SqlBool>>;
type Entries = SelectQueryBuilder<{ list_entry: ListEntryTable }, 'list_entry', object>;

/** Entries from the page's beginning that are looked at first, in their order. */
const FIRST_LOOK = 1_000;

/** Urgent first, then by arrival. @throws RangeError for a cursor that is none of this order. */
export async function findPage(db: Kysely<Schema>, kind: DatabaseKind, request: PageRequest): Promise<Page> {
  const { filters = {}, search = '', searchPatient, order, cursor, limit } = request;
  const found = await findKeys(db, kind, {
    filters: conditions(filters),
    search: searchOf(search, searchPatient),
    arrival: order === 'oldest' ? 'arrived_at' : 'newest_key',
    after: cursor === undefined ? null : readCursor(cursor, order),
    limit: limit + 1,
  });
  const keys = found.slice(0, limit);
  const last = keys.at(-1);
  return {
    rows: await readRows(db, keys),
    next:
      found.length > limit && last !== undefined
        ? writeCursor(order, [last.urgency, last.arrival, last.study_uid])
        : null,
  };
}

/** How many studies there are of a selection, by urgency. */
export async function countSelected(
  db: Kysely<Schema>,
  kind: DatabaseKind,
  { filters = {}, search = '', searchPatient }: Selection,
): Promise<{ readonly studies: number; readonly urgent: number }> {
  const wanted = searchOf(search, searchPatient);
  const all = [...conditions(filters), ...(wanted === null ? [] : matching(wanted))];
  const found = await candidates(db, kind, wanted);
  const rows = await where(db.selectFrom('list_entry'), found === null ? all : [found, ...all])
    .select(['urgency', sql<number>`count(*)`.as('studies')])
    .groupBy('urgency')
    .execute();
  const urgent = rows.find(({ urgency }) => urgency === 0)?.studies ?? 0;
  return { urgent, studies: rows.reduce((sum, { studies }) => sum + studies, 0) };
}

/**
 * First only the next entries are looked at: most pages are full by then, however many entries would match. Where too
 * few of these match, all that match are found and sorted: then they are few, or a look at each narrow entry is the
 * best there is.
 */
async function findKeys(db: Kysely<Schema>, kind: DatabaseKind, asked: Asked): Promise<Key[]> {
  const all = [...asked.filters, ...(asked.search === null ? [] : matching(asked.search))];
  if (all.length === 0) return inOrder(from(db.selectFrom('list_entry'), asked), asked).execute();
  const look = FIRST_LOOK + 2 * asked.limit;
  const near = from(db.selectFrom('list_entry'), asked)
    .selectAll()
    .orderBy('urgency')
    .orderBy(asked.arrival)
    .orderBy('study_uid')
    .limit(look);
  const first = await inOrder(where(db.selectFrom(near.as('list_entry')), all), asked).execute();
  if (first.length === asked.limit) return first;
  const found = await candidates(db, kind, asked.search);
  const every = where(from(db.selectFrom('list_entry'), asked), found === null ? all : [found, ...all]);
  // A sum is in no index: the order must not be what it is looked up by.
  const isWalked = kind === 'sqlite' && asked.search === null;
  return inOrder(every, asked, isWalked ? sql`urgency` : sql`urgency + 0`).execute();
}

function inOrder(entries: Entries, { arrival, limit }: Asked, first = sql`urgency`) {
  return entries
    .select(['study_uid', 'urgency', sql<number>`${sql.ref(arrival)}`.as('arrival')])
    .orderBy(first)
    .orderBy(sql.ref(arrival))
    .orderBy('study_uid')
    .limit(limit);
}

function from(entries: Entries, { after, arrival }: Asked): Entries {
  return after === null
    ? entries
    : entries.where(sql<SqlBool>`(urgency, ${sql.ref(arrival)}, study_uid) > (${after[0]}, ${after[1]}, ${after[2]})`);
}

function where(entries: Entries, all: readonly Condition[]): Entries {
  return all.reduce((query, condition) => query.where(condition), entries);
}

function conditions({
  states,
  priority,
  view,
  verdict,
  arrivedFrom,
  arrivedBefore,
}: PageFilters): readonly Condition[] {
  const all: (Condition | null)[] = [
    states === undefined ? null : states.length === 0 ? sql`1 = 0` : sql`state in (${sql.join([...states])})`,
    priority === undefined ? null : sql`urgency = ${priority === 'urgent' ? 0 : 1}`,
    view === undefined ? null : sql`${sql.ref(`${view}_view`)} = 1`,
    verdict === undefined ? null : verdict === 'none' ? sql`verdict is null` : sql`verdict = ${verdict}`,
    arrivedFrom === undefined ? null : sql`arrived_at >= ${arrivedFrom}`,
    arrivedBefore === undefined ? null : sql`arrived_at < ${arrivedBefore}`,
  ];
  return all.filter((condition) => condition !== null);
}

async function readRows(db: Kysely<Schema>, keys: readonly Key[]): Promise<StudyRow[]> {
  if (keys.length === 0) return [];
  const uids = keys.map(({ study_uid }) => study_uid);
  const stored = await db.selectFrom('study').select(ROW_COLUMNS).where('study_uid', 'in', uids).execute();
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
    if (order === wanted && Number.isInteger(urgency) && Number.isInteger(arrivedAt) && typeof study === 'string')
      return [urgency as number, arrivedAt as number, study];
  } catch {
    // Told below.
  }
  throw new RangeError('not a cursor of this list');
}
