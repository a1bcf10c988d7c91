import { type Kysely, type Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { Schema } from './schema';

/** A view of the list that a user keeps by a name. */
export interface SavedView {
  readonly id: string;
  readonly name: string;
  /** JSON of the API's `ListView`. */
  readonly content: string;
}

/** Views of one user at most. */
export const MOST_VIEWS = 30;

/** By name. @param user id, as of an {@link Author} */
export async function findViews(db: Kysely<Schema>, user: string): Promise<SavedView[]> {
  const rows = await db
    .selectFrom('saved_view')
    .select(['id', 'name', 'content'])
    .where('user_id', '=', user)
    .execute();
  // Not by the database: it may sort by another alphabet.
  return rows.sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** Keeps a view, in the place of the one of this name. False where the user has as many as there may be. */
export async function writeView(
  transaction: Transaction<Schema>,
  user: string,
  { name, content }: Omit<SavedView, 'id'>,
): Promise<boolean> {
  const kept = await findViews(transaction, user);
  if (kept.length >= MOST_VIEWS && !kept.some((view) => view.name === name)) return false;
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
