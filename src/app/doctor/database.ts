import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import { createLog } from '../../base/log';
import type { Config } from '../../config/config';
import { openDatabase } from '../../worklist/database';

/** Whether this process opens the database of the list and the accounts. */
export function hasDatabase({ roles, list, access }: Config): boolean {
  return (roles.includes('list') && list.enabled) || access.kind !== 'none';
}

const TEXTS = {
  absent: 'has no tables yet: the first start of the service makes them',
  older: 'of an older version: the next start of the service brings it up to date',
  current: 'answers, undamaged, of this version',
  newer: 'of the next version of Hilum, on which this one runs: update this one',
};

/** Checks the database; it is neither created nor migrated. Of an embedded one the whole file is read. */
export async function examineDatabase(config: Config): Promise<CheckResult[]> {
  if (!hasDatabase(config)) return [];
  const database = openDatabase(config.list.database, createLog('silent'));
  try {
    return [{ check: 'database', ok: true, text: TEXTS[await database.examine()] }];
  } catch (error) {
    return [{ check: 'database', ok: false, text: `${describeError(error)}: see list.database` }];
  } finally {
    await database.close();
  }
}
