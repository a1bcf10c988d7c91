import { randomBytes } from 'node:crypto';
import type { Database } from './database';

const KEY_BYTES = 32;

/** Purposes of keys. */
export type SiteKeyName = 'sign-in';

/**
 * A key of 256 random bits that all processes of a site share, created at its first use. It signs and digests values of
 * this site; anybody who reads the database has it.
 * @throws HilumError of the database
 */
export async function siteKey(database: Database, name: SiteKeyName): Promise<Buffer> {
  const find = () =>
    database.read((db) => db.selectFrom('site_key').select('value').where('name', '=', name).executeTakeFirst());
  const known = await find();
  if (known !== undefined) return Buffer.from(known.value, 'base64');
  const made = { name, value: randomBytes(KEY_BYTES).toString('base64') };
  // Of several processes that create one at once, the first wins.
  await database.write(async (db) => {
    await db
      .insertInto('site_key')
      .values(made)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  });
  return Buffer.from((await find())!.value, 'base64');
}
