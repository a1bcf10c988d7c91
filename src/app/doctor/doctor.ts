import type { CheckResult } from '../../base/check-result';
import { describeError, HilumError } from '../../base/errors';
import { type Config, readConfig } from '../../config/config';
import type { Role } from '../../config/roles';
import { examineAccess } from './access';
import { examineArchive } from './archive';
import { examineBroker } from './broker';
import { examineClock, examineDatabaseClock } from './clock';
import { examineDatabase } from './database';
import { examineDisk } from './disk';
import { examineModels } from './models';
import { examinePort } from './port';
import { examineReceivers } from './receivers';
import { examineRetention } from './retention';
import { examineRis } from './ris';
import { examineStore } from './store-test';

/**
 * Runs all checks that the roles of the service need; each result is one plain sentence.
 * @param storeTest whether to store a test study in the archive: without it nothing is written
 */
export async function examine(path: string, { storeTest = false } = {}): Promise<CheckResult[]> {
  let config: Config;
  try {
    config = readConfig(path);
  } catch (error) {
    return [{ check: 'configuration', ok: false, text: describeError(error) }];
  }
  const has = (role: Role) => config.roles.includes(role);
  const parts = [
    examineArchive(config),
    ...(storeTest ? [examineStore(config)] : []),
    examineBroker(config),
    ...(has('sinks') ? [examineReceivers(config)] : []),
    ...(has('worker') ? [examineModels(config)] : []),
    examineDisk(config),
    ...(has('worker') ? [examineClock(config)] : []),
    ...(has('list') ? [examineDatabaseClock(config)] : []),
    examineDatabase(config),
    examineAccess(config),
    examinePort(config),
    examineRis(config),
    examineRetention(config),
  ];
  return [
    { check: 'configuration', ok: true, text: `${path} is valid` },
    ...(await Promise.all(parts.map(told))).flat(),
  ];
}

/** A check that can't even begin, as where a file that the configuration names is missing, does not end the others. */
function told(part: Promise<CheckResult[]>): Promise<CheckResult[]> {
  return part.catch((error: unknown) => {
    if (!(error instanceof HilumError)) throw error;
    return [{ check: 'configuration', ok: false, text: describeError(error) }];
  });
}
