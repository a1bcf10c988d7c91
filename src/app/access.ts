import { createLog, type Log } from '../base/log';
import type { Config } from '../config/config';
import { trustingFetch } from '../net/trusting-fetch';
import { type Access, createAccess } from '../web/access/access';
import { openAccounts } from '../web/access/account-store';
import { Directory, type RecordChange } from '../web/access/directory';
import type { AccessStores } from '../web/access/authenticator';
import { openSessions } from '../web/access/session-store';
import { openApiTokens } from '../web/access/token-store';
import { type Database, openDatabase } from '../worklist/database';
import { COMMAND_LINE, commandTrail, openRecorder } from './audit';

export type { RecordChange };

function accessStores(database: Database): AccessStores {
  return { accounts: openAccounts(database), sessions: openSessions(database), tokens: openApiTokens(database) };
}

export interface OpenedAccess extends Access {
  /** Database of the reading list and the accounts; null where this process has neither. */
  readonly database: Database | null;
}

/**
 * Opens the access layer, which stands in front of every page and route. Accounts are in the list's database where this
 * process keeps a list, else in a database connection of its own, which `close` ends. Without a sign-in there are no
 * accounts.
 */
export function openAccess(config: Config, log: Log, listDatabase: Database | null): OpenedAccess {
  const own = listDatabase === null && config.access.kind !== 'none' ? openDatabase(config.list.database, log) : null;
  const database = listDatabase ?? own;
  const caFile = config.access.oidc?.caFile;
  const access = createAccess({
    http: config.http,
    access: config.access,
    language: config.language,
    stores: database && accessStores(database),
    recorder: openRecorder(config, log),
    log,
    ...(caFile === undefined ? {} : { fetch: trustingFetch(caFile) }),
  });
  return {
    ...access,
    database,
    async close() {
      await access.close();
      await own?.close();
    },
  };
}

/** Accounts and API tokens for the command line, with the audit trail that records every change. */
export function openDirectory(config: Config): {
  directory: Directory;
  record: RecordChange;
  close(): Promise<void>;
} {
  const log = createLog('silent');
  const database = openDatabase(config.list.database, log);
  const recorder = openRecorder(config, log, COMMAND_LINE);
  const trail = commandTrail(recorder);
  return {
    directory: new Directory(accessStores(database)),
    record: (change) => trail.record({ kind: 'account', ...change }),
    close: () => recorder.close().finally(() => database.close()),
  };
}
