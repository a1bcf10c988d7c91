import { type Kysely, sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { chown, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { flush } from '../base/atomic-file';
import { HilumError } from '../base/errors';
import { makeFolder } from '../base/folder';
import { type BackupManifest, factsOf, openFile, withBackup, withFile } from './backup';
import { databaseError, isDamage, isLocked } from './database-error';
import type { Schema } from './schema';

export interface Restored {
  readonly manifest: BackupManifest;
  /** Name of the replaced database's file, which is kept; null where there was none. */
  readonly replaced: string | null;
}

/** Added to the change number, so that it is higher than any that a browser has seen of the replaced database. */
const CHANGES_AHEAD = 1_000_000;

/**
 * Replaces the database file `path`, which no process may have open, by that of a backup. The previous file is kept
 * beside it. Sessions are ended, as users may have signed out since.
 * @param before called when all is ready; where it throws, nothing is changed
 * @throws HilumError BACKUP_INVALID, DATABASE_INVALID for a schema that this version does not work with,
 * DATABASE_IN_USE
 */
export async function restoreBackup(
  backup: string,
  path: string,
  before: (manifest: BackupManifest) => Promise<void>,
  now = new Date(),
): Promise<Restored> {
  const made = `${path}.${randomBytes(4).toString('hex')}.restoring`;
  return whileUnused(path, () =>
    withBackup(backup, async (opened) => {
      try {
        makeFolder(dirname(path), 0o700);
        await opened.copyTo(made);
        await withFile(made, 'write', makeReady);
        await giveToOwner(made, path);
        await before(opened.manifest);
        return { manifest: opened.manifest, replaced: await replace(path, made, now) };
      } finally {
        for (const file of [made, `${made}-wal`, `${made}-shm`]) await rm(file, { force: true });
      }
    }),
  );
}

/** The last statement leaves one file, without a log. */
async function makeReady(db: Kysely<Schema>): Promise<void> {
  await factsOf(db);
  for (const table of ['session', 'sign_in', 'first_token'] as const) await db.deleteFrom(table).execute();
  await db
    .updateTable('counter')
    .set({ value: sql<number>`value + ${CHANGES_AHEAD}` })
    .execute();
  await sql`pragma journal_mode = delete`.execute(db);
}

/** Run by root, it restores for the service's account. */
async function giveToOwner(made: string, path: string): Promise<void> {
  const { uid, gid } = await stat(existsSync(path) ? path : dirname(path));
  if (process.geteuid?.() === 0) await chown(made, uid, gid);
}

async function replace(path: string, made: string, now: Date): Promise<string | null> {
  const kept = `${path}.replaced-${now.toISOString().replace(/[:.]/g, '-')}`;
  const isThere = existsSync(path);
  // A damaged database may have its log beside it.
  const moved = ['', '-wal', '-shm'].filter((ending) => existsSync(`${path}${ending}`));
  if (existsSync(kept)) throw inUse(`${kept} is there already`);
  for (const ending of moved) await rename(`${path}${ending}`, `${kept}${ending}`);
  try {
    await rename(made, path);
  } catch (error) {
    for (const ending of moved) await rename(`${kept}${ending}`, `${path}${ending}`);
    throw error;
  }
  await flush(dirname(path));
  return isThere ? basename(kept) : null;
}

/**
 * Does `work` while no other process has the file `path` open or can open it, by SQLite's own lock, which is freed when
 * a process is killed. A damaged file can't be locked; then the system is asked which processes have it open.
 */
async function whileUnused<T>(path: string, work: () => Promise<T>): Promise<T> {
  if (!existsSync(path)) return work();
  const [holder] = holdersOf(path);
  if (holder !== undefined) throw inUse(`the database is in use by process ${holder}`);
  const db = openFile(path, 'write');
  try {
    await lock(db);
    return await work();
  } finally {
    await db.destroy();
  }
}

/** An existing log is written into the file first. */
async function lock(db: Kysely<Schema>): Promise<void> {
  try {
    await sql`pragma locking_mode = exclusive`.execute(db);
    await sql`pragma journal_mode = delete`.execute(db);
  } catch (error) {
    if (isDamage(error)) return;
    throw isLocked(error) ? inUse('the database is in use by another process') : databaseError(error);
  }
}

function inUse(why: string): HilumError {
  return new HilumError('DATABASE_IN_USE', 'permanent', `${why}: stop every process of the service, then restore`);
}

/** Processes that have the file open, as far as visible: ours and, for root, all of this machine. */
function holdersOf(path: string): number[] {
  const real = realpathSync(path);
  const linksOf = (pid: string) => listed(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  return listed('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => linksOf(pid).includes(real))
    .map(Number);
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
