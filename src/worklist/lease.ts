import type { Transaction } from 'kysely';
import type { Schema } from './schema';

export interface Lease {
  /** Name of the work that only one process does at a time. */
  readonly name: string;
  readonly holder: string;
  /** End of the lease (milliseconds since 1970); its holder may extend it. */
  readonly until: number;
}

/** False where another process holds it. */
export async function takeLease(
  transaction: Transaction<Schema>,
  { name, holder, until }: Lease,
  now: number,
): Promise<boolean> {
  const taken = await transaction
    .updateTable('lease')
    .set({ holder, until })
    .where('name', '=', name)
    .where((eb) => eb.or([eb('until', '<=', now), eb('holder', '=', holder)]))
    .executeTakeFirst();
  if (taken.numUpdatedRows > 0n) return true;
  const made = await transaction
    .insertInto('lease')
    .values({ name, holder, until })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (made.numInsertedOrUpdatedRows ?? 0n) > 0n;
}
