import type { Transaction } from 'kysely';
import type { Uid } from '../dicom/uid';
import type { Author } from './author';
import { clean } from './record-columns';
import type { Schema } from './schema';

/** A page that shows a study. */
export interface OpenPage {
  readonly by: Author;
  /** Id made by the page; a user may have several. */
  readonly page: string;
}

/**
 * Records for `forMs` milliseconds that a page shows a study, and removes expired entries. Resolves to the users who
 * have the study open on other pages, each once, this user included. It is no change of the study, so that no live
 * update is sent.
 */
export async function writeOpen(
  transaction: Transaction<Schema>,
  study: Uid,
  { by, page, forMs }: OpenPage & { readonly forMs: number },
  now: number,
): Promise<Author[]> {
  await transaction.deleteFrom('open_study').where('until', '<=', now).execute();
  const columns = { study_uid: study, user_name: clean(by.name), until: now + forMs };
  await transaction
    .insertInto('open_study')
    .values({ ...columns, user_id: clean(by.id), page })
    .onConflict((conflict) => conflict.columns(['user_id', 'page']).doUpdateSet(columns))
    .execute();
  const others = await transaction
    .selectFrom('open_study')
    .select(['user_id', 'user_name'])
    .where('study_uid', '=', study)
    .where((eb) => eb.or([eb('user_id', '<>', clean(by.id)), eb('page', '<>', page)]))
    .orderBy('user_name')
    .execute();
  const names = new Map(others.map(({ user_id, user_name }) => [user_id, user_name]));
  return [...names].map(([id, name]) => ({ id, name }));
}

/** Removes the entry of a page for this study; the page may show another one already. */
export async function deleteOpen(transaction: Transaction<Schema>, study: Uid, { by, page }: OpenPage): Promise<void> {
  await transaction
    .deleteFrom('open_study')
    .where('user_id', '=', clean(by.id))
    .where('page', '=', page)
    .where('study_uid', '=', study)
    .execute();
}
