/**
 * Writes down a change that is made in the transaction and does not hold yet: where it throws, the change is undone.
 * Not called where nothing was changed. `revoked` are the API tokens that end with the change, by their prefixes.
 */
export type Recorded = (revoked: readonly string[]) => Promise<void>;

/** Whether a statement changed anything; what did is recorded. */
export async function isRecorded(changedRows: bigint | undefined, recorded: Recorded): Promise<boolean> {
  if ((changedRows ?? 0n) === 0n) return false;
  await recorded([]);
  return true;
}
