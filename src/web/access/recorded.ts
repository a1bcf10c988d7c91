/**
 * Records a change before its transaction is committed: where it throws, the change is rolled back. Not called without
 * a change. `revoked`: prefixes of the API tokens that end with the change.
 */
export type Recorded = (revoked: readonly string[]) => Promise<void>;

/** Whether a statement changed anything; a change is recorded. */
export async function isRecorded(changedRows: bigint | undefined, recorded: Recorded): Promise<boolean> {
  if ((changedRows ?? 0n) === 0n) return false;
  await recorded([]);
  return true;
}
