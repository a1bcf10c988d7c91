import type { Kysely, Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { StudyRecord } from '../sinks/record';
import type { Author } from './author';
import { nextChange, note } from './change';
import { clean } from './record-columns';
import type { Schema, StudyColumns } from './schema';
import { readStoredRecord } from './stored-findings';
import { claimOf, readOf, type RowClaim, type RowRead } from './study-row';

/** Result of claiming a study: successful where `claim` is by the requesting user. */
export interface ClaimOutcome {
  readonly isClaimed: boolean;
  /** Present claim; null where there is none. */
  readonly claim: RowClaim | null;
  /** A study that was read can't be claimed. */
  readonly read: RowRead | null;
}

export interface ClaimRequest {
  readonly by: Author;
  /** Duration of the claim unless it is renewed (milliseconds). */
  readonly forMs: number;
  /** Also take it over from another user. */
  readonly takeOver?: boolean;
}

/**
 * A reading, by a user, or by a final report that the RIS sent. `at` in milliseconds since 1970; `completedAt`: time of
 * the result that was read, null for none.
 */
export type Reading =
  | { readonly how: 'person'; readonly by: Author; readonly completedAt?: number | null }
  | { readonly how: 'ris'; readonly at: number };

/** Present numbers of studies by reading state; all but `hidden` without hidden ones. */
export interface WorkCounts {
  readonly unread: number;
  readonly unreadUrgent: number;
  /** Claimed by the requesting user. */
  readonly mine: number;
  readonly readToday: number;
  readonly hidden: number;
}

const COLUMNS = [
  'state',
  'claimed_by_id',
  'claimed_by',
  'claimed_until',
  'first_opened_at',
  'read_at',
  'read_by_id',
  'read_by',
  'read_how',
  'unread_since',
  'first_read_at',
  'completed_at',
] as const satisfies readonly (keyof StudyColumns)[];
type Stored = Pick<StudyColumns, (typeof COLUMNS)[number]>;

const NOBODY = { claimed_by_id: null, claimed_by: null, claimed_until: null } as const;
const NOT_READ = { read_at: null, read_by_id: null, read_by: null, read_how: null } as const;

/** Undefined for a study that is not on the list. */
async function readStored(db: Kysely<Schema>, study: Uid): Promise<Stored | undefined> {
  const stored = await db.selectFrom('study').select(COLUMNS).where('study_uid', '=', study).executeTakeFirst();
  return stored?.state === 'left-alone' ? undefined : stored;
}

const write = (transaction: Transaction<Schema>, study: Uid, change: number, columns: Partial<StudyColumns>) =>
  transaction
    .updateTable('study')
    .set({ ...columns, change })
    .where('study_uid', '=', study)
    .execute();

/** The claim that is valid at a time; an expired one may still be stored. */
export function claimAt(claim: RowClaim | null, now: number): RowClaim | null {
  return claim !== null && claim.until > now ? claim : null;
}

/**
 * Claims an unread study, or renews the claim. Of two users at once the first one gets it, as the change number makes
 * the other wait. Null for a study that is not on the list.
 */
export async function writeClaim(
  transaction: Transaction<Schema>,
  study: Uid,
  { by, forMs, takeOver = false }: ClaimRequest,
  now: number,
): Promise<ClaimOutcome | null> {
  const change = await nextChange(transaction);
  const stored = await readStored(transaction, study);
  if (stored === undefined) return null;
  const [read, holding] = [readOf(stored), claimAt(claimOf(stored), now)];
  const isOthers = holding !== null && holding.by.id !== by.id;
  if (read !== null || (isOthers && !takeOver)) return { isClaimed: false, claim: holding, read };
  const claim = { by: { id: clean(by.id), name: clean(by.name) }, until: now + forMs };
  await write(transaction, study, change, {
    claimed_by_id: claim.by.id,
    claimed_by: claim.by.name,
    claimed_until: claim.until,
    first_opened_at: stored.first_opened_at ?? now,
  });
  if (holding?.by.id !== by.id)
    await note(transaction, change, study, now, 'claim', {
      ...authorOf(by),
      ...(isOthers ? { from: holding.by.name, fromId: holding.by.id } : {}),
    });
  return { isClaimed: true, claim, read };
}

/** Releases one's own claim. False where there is none. */
export async function writeRelease(
  transaction: Transaction<Schema>,
  study: Uid,
  by: Author,
  now: number,
): Promise<boolean> {
  const change = await nextChange(transaction);
  const stored = await readStored(transaction, study);
  const holding = stored === undefined ? null : claimAt(claimOf(stored), now);
  if (holding?.by.id !== by.id) return false;
  await write(transaction, study, change, NOBODY);
  await note(transaction, change, study, now, 'release', authorOf(by));
  return true;
}

/**
 * Marks a study as read, which ends its claim. A study that is read already stays unchanged, so that the first reading
 * counts; a report from before it became unread (again) is ignored. False for a study that is not on the list, or has
 * another result than the one that was read.
 */
export async function writeRead(
  transaction: Transaction<Schema>,
  study: Uid,
  reading: Reading,
  now: number,
): Promise<boolean> {
  const change = await nextChange(transaction);
  const stored = await readStored(transaction, study);
  if (stored === undefined || (reading.how === 'person' && isOfAnother(reading.completedAt, stored))) return false;
  const at = reading.how === 'ris' ? reading.at : now;
  const isOvertaken = reading.how === 'ris' && stored.unread_since !== null && at <= stored.unread_since;
  if (stored.read_at !== null || isOvertaken) return true;
  const person = reading.how === 'ris' ? null : reading.by;
  await write(transaction, study, change, readColumns(reading.how, at, person, stored));
  const by = reading.how === 'ris' ? {} : authorOf(reading.by);
  await note(transaction, change, study, at, 'read', { how: reading.how, ...by });
  return true;
}

/** Whether somebody looked at another result than the present one; `shown` absent: unknown. */
export function isOfAnother(
  shown: number | null | undefined,
  { completed_at }: Pick<StudyColumns, 'completed_at'>,
): boolean {
  return shown !== undefined && shown !== completed_at;
}

/** Marks a study as unread. False for a study that is not on the list, or is not read. */
export async function writeUnread(
  transaction: Transaction<Schema>,
  study: Uid,
  by: Author,
  now: number,
): Promise<boolean> {
  const change = await nextChange(transaction);
  const stored = await readStored(transaction, study);
  if (stored === undefined || stored.read_at === null) return false;
  const isFirst = stored.first_read_at === stored.read_at;
  await write(transaction, study, change, {
    ...NOT_READ,
    ...(isFirst ? { first_read_at: null } : {}),
    unread_since: now,
  });
  await note(transaction, change, study, now, 'unread', authorOf(by));
  return true;
}

/** Columns of a study that was read: the claim is removed. */
export function readColumns(
  how: NonNullable<StudyColumns['read_how']>,
  at: number,
  by: Author | null,
  { first_read_at }: Pick<StudyColumns, 'first_read_at'>,
) {
  return {
    ...NOBODY,
    read_at: at,
    first_read_at: first_read_at ?? at,
    read_how: how,
    read_by_id: by === null ? null : clean(by.id),
    read_by: by === null ? null : clean(by.name),
  };
}

type Before = Pick<StudyColumns, 'record' | 'read_at' | 'finding_priority' | 'unread_since'>;

/**
 * Reading state after a new result. A study that was read becomes unread if the result has a film that was not read, or
 * another priority; if it was read without a result, only if the result is urgent. The time is stored, as reports from
 * before do not count.
 */
export function workAfter(before: Before, record: StudyRecord): Partial<StudyColumns> {
  if (!isToBeReadAnew(before, record)) return {};
  return { ...NOT_READ, unread_since: Math.max(Date.parse(record.completedAt), before.unread_since ?? 0) };
}

function isToBeReadAnew({ record: stored, finding_priority }: Before, { films, priority }: StudyRecord): boolean {
  if (stored === null) return priority === 'urgent';
  const known = new Set<string>(readStoredRecord(stored).films.map(({ sopInstanceUid }) => sopInstanceUid));
  return priority !== finding_priority || films.some(({ sopInstanceUid }) => !known.has(sopInstanceUid));
}

/** @param from start of the day (milliseconds since 1970) */
export async function countWork(db: Kysely<Schema>, by: string, from: number, now: number): Promise<WorkCounts> {
  const kept = await db.selectFrom('list_count').selectAll().execute();
  const sum = (test: (row: (typeof kept)[number]) => boolean) =>
    kept.filter(test).reduce((total, { studies }) => total + studies, 0);
  const { mine } = await claimedBy(db, by, now)
    .select((eb) => eb.fn.countAll<number>().as('mine'))
    .executeTakeFirstOrThrow();
  const { readToday } = await db
    .selectFrom('list_entry')
    .select((eb) => eb.fn.countAll<number>().as('readToday'))
    .where('read_at', '>=', from)
    .where('hidden', '=', 0)
    .executeTakeFirstOrThrow();
  return {
    unread: sum(({ unread, hidden }) => unread === 1 && hidden === 0),
    unreadUrgent: sum(({ unread, hidden, urgency }) => unread === 1 && hidden === 0 && urgency === 0),
    mine,
    readToday,
    hidden: sum(({ hidden }) => hidden === 1),
  };
}

/** Studies with a valid claim, without hidden ones. */
function claimedBy(db: Kysely<Schema>, by: string, now: number) {
  return db
    .selectFrom('study')
    .where('claimed_by_id', '=', by)
    .where('claimed_until', '>', now)
    .where('state', '<>', 'left-alone')
    .where('hidden', '=', 0);
}

const authorOf = ({ id, name }: Author) => ({ by: name, byId: id });
