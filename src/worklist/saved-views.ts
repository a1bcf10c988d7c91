import { type Kysely, type Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { Schema } from './schema';

/** A saved view of the list. */
export interface SavedView {
  readonly id: string;
  readonly name: string;
  /** JSON of the API's `ListView`. */
  readonly content: string;
}

/** Largest number of views of one user. */
export const MAX_VIEWS = 30;

/** Sorted by name. @param user id as in {@link Author} */
export async function findViews(db: Kysely<Schema>, user: string): Promise<SavedView[]> {
  const rows = await db
    .selectFrom('saved_view')
    .select(['id', 'name', 'content'])
    .where('user_id', '=', user)
    .execute();
  // Not sorted by the database, which may use another collation.
  return rows.sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** Saves a view, replacing one of the same name. False where the user has too many. */
export async function writeView(
  transaction: Transaction<Schema>,
  user: string,
  { name, content }: Omit<SavedView, 'id'>,
): Promise<boolean> {
  const kept = await findViews(transaction, user);
  if (kept.length >= MAX_VIEWS && !kept.some((view) => view.name === name)) return false;
  await transaction
    .insertInto('saved_view')
    .values({ id: randomUUID(), user_id: user, name, content })
    .onConflict((conflict) => conflict.columns(['user_id', 'name']).doUpdateSet({ content }))
    .execute();
  return true;
}

/** False where the user has no such view. */
export async function deleteView(transaction: Transaction<Schema>, user: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('saved_view')
    .where('user_id', '=', user)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
