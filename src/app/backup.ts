import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { HilumError } from '../base/errors';
import type { Config } from '../config/config';
import { type BackupManifest, writeBackup } from '../worklist/backup';
import { databaseFileOf } from '../worklist/database';
import { type Restored, restoreBackup } from '../worklist/restore';
import { type CommandTrail, withTrail } from './audit';
import { VERSION } from './installed';

/**
 * Writes a backup of the embedded database; the service may run meanwhile.
 * @param force replaces an existing file
 * @throws HilumError BACKUP_REFUSED, BACKUP_INVALID, of the database, AUDIT_FAILED
 */
export async function backUp(config: Config, file: string, force: boolean): Promise<BackupManifest> {
  const target = resolve(file);
  const path = embedded(config, (url) => [
    'the list is in PostgreSQL, which has its own backup:',
    `pg_dump --format=custom --file=${quoted(target)} ${quoted(url)}`,
  ]);
  if (!existsSync(path)) throw refused(`there is no database file ${path}`);
  if (existsSync(target) && !force) throw refused(`${target} is there already: another name, or --force`);
  return withTrail(config, async (trail) => {
    await record(trail, `backup of the reading list and its accounts to ${target}`);
    return writeBackup(path, target, VERSION);
  });
}

/**
 * Replaces the embedded database by that of a backup; no process may have it open.
 * @throws HilumError BACKUP_REFUSED, BACKUP_INVALID, DATABASE_IN_USE, of the database, AUDIT_FAILED
 */
export async function restore(config: Config, file: string): Promise<Restored & { readonly path: string }> {
  const source = resolve(file);
  const path = embedded(config, (url, { user, database }) => [
    'the list is in PostgreSQL, which has its own backup: stop every process of the service, and with an empty ' +
      'database of the same name in the place of the old one',
    `psql --dbname=postgres --command=${quoted(`alter database ${database} rename to ${kept(database)}`)}`,
    `psql --dbname=postgres --command=${quoted(`create database ${database}${user}`)}`,
    `pg_restore --single-transaction --exit-on-error --no-owner --dbname=${quoted(url)} ${quoted(source)}`,
    `psql --command=${quoted('delete from session')} ${quoted(url)}`,
  ]);
  if (!existsSync(source)) throw refused(`there is no file ${source}`);
  return withTrail(config, async (trail) => {
    const restored = await restoreBackup(source, path, ({ createdAt }) =>
      record(trail, `the reading list and its accounts restored from a backup of ${createdAt}`),
    );
    return { ...restored, path };
  });
}

function record(trail: CommandTrail, what: string): Promise<void> {
  return trail.record({ kind: 'restricted-function', what, studies: [] });
}

function refused(why: string): HilumError {
  return new HilumError('BACKUP_REFUSED', 'permanent', why);
}

interface Names {
  /** Name of the database, quoted for SQL. */
  readonly database: string;
  /** `owner NAME` in SQL; '' where the URL names no user. */
  readonly user: string;
}

/**
 * Path of the embedded database's file.
 * @param words makes the refusal for PostgreSQL, with the commands of PostgreSQL to use instead
 * @throws HilumError BACKUP_REFUSED for PostgreSQL
 */
function embedded({ list }: Config, words: (url: string, names: Names) => readonly string[]): string {
  const path = databaseFileOf(list.database);
  if (path !== null) return path;
  const url = new URL(list.database);
  const user = decodeURIComponent(url.username);
  const names = {
    database: identifier(decodeURIComponent(url.pathname.slice(1)) || user),
    user: user === '' ? '' : ` owner ${identifier(user)}`,
  };
  throw refused(words(withoutSecrets(url), names).join('\n  '));
}

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
const kept = (database: string) => database.replace(/"$/, '_replaced"');
/** Quoted for the shell. */
const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Parameters of a `pg` URL that libpq understands and that hold no secret (PostgreSQL manual, section 34.1.2). */
const KNOWN = ['host', 'port', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

function withoutSecrets(url: URL): string {
  const open = new URL(url);
  open.password = '';
  for (const name of [...open.searchParams.keys()]) if (!KNOWN.includes(name)) open.searchParams.delete(name);
  if (open.searchParams.get('sslmode') === 'no-verify') open.searchParams.set('sslmode', 'require');
  return open.href;
}
