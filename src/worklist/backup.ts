import { Kysely, sql } from 'kysely';
import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { z } from 'zod';
import { placeAtomically, PRIVATE_MODE } from '../base/atomic-file';
import { HilumError } from '../base/errors';
import { TAR_END, tarEntries, type TarEntry, tarHeader, tarPadding } from '../base/tar';
import { databaseError } from './database-error';
import { hasTable, stepsOf } from './migrations/index';
import type { Schema } from './schema';
import { sqliteDialect } from './sqlite';
import { SQLITE_WORKER_FILE } from './sqlite-worker-file';

/**
 * A backup of the embedded database: a tar with two files. `list.db` is a consistent copy made by SQLite while others
 * read and write (VACUUM INTO, sqlite.org/lang_vacuum.html); a copy of the file alone would lack the write-ahead log.
 * `manifest.json` comes last and describes it, so that an incomplete backup has none.
 */
const DATABASE = 'list.db';
const MANIFEST = 'manifest.json';

const manifestSchema = z.object({
  format: z.literal('hilum-backup-1'),
  /** Version of Hilum that wrote it. */
  hilum: z.string(),
  /** ISO 8601, UTC: everything committed until then is in it. */
  createdAt: z.iso.datetime(),
  /** Schema steps of the database. */
  schema: z.array(z.string()),
  /** Size of `list.db`. */
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  studies: z.number().int(),
  verdicts: z.number().int(),
  accounts: z.number().int(),
});
export type BackupManifest = z.infer<typeof manifestSchema>;

const MAX_MANIFEST_BYTES = 1_000_000;
const PART_BYTES = 1024 * 1024;

/** Opens a database file directly: it is neither created nor migrated. */
export function openFile(path: string, access: 'read' | 'write'): Kysely<Schema> {
  return new Kysely({ dialect: sqliteDialect(() => ({ path, access, identity: null }), SQLITE_WORKER_FILE) });
}

/** {@link openFile}, closed after the work. @throws HilumError of the database */
export async function withFile<T>(
  path: string,
  access: 'read' | 'write',
  work: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  const db = openFile(path, access);
  try {
    return await work(db);
  } catch (error) {
    throw databaseError(error);
  } finally {
    await db.destroy();
  }
}

/**
 * Writes a backup of the database file `path`, in use or not: to a temporary file, which is checked and renamed to
 * `target`. An existing file is replaced, and stays where anything fails.
 * @param hilum version of Hilum
 * @throws HilumError DATABASE_UNREACHABLE, DATABASE_INVALID; BACKUP_INVALID where it can't be read back
 */
export async function writeBackup(path: string, target: string, hilum: string): Promise<BackupManifest> {
  return placeAtomically(target, async (beside) => {
    const copy = `${beside}.db`;
    try {
      // Created first with its mode, so that nobody else can read it at any time.
      await (await open(copy, 'wx', PRIVATE_MODE)).close();
      const createdAt = new Date();
      await withFile(path, 'read', (db) => copyInto(db, copy));
      const facts = await withFile(copy, 'read', factsOf);
      const manifest = await writeTar(copy, beside, { format: 'hilum-backup-1', hilum, createdAt, ...facts });
      await withBackup(beside, (backup) => backup.copyTo(null));
      return manifest;
    } finally {
      for (const file of [copy, `${copy}-wal`, `${copy}-shm`]) await rm(file, { force: true });
    }
  });
}

/** A read-only connection may not write another file either. */
async function copyInto(db: Kysely<Schema>, copy: string): Promise<void> {
  await sql`pragma query_only = off`.execute(db);
  await sql`vacuum into ${copy}`.execute(db);
}

/** Reads the whole database and checks indexes against rows. @throws HilumError DATABASE_INVALID */
export async function factsOf(db: Kysely<Schema>) {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(1)`.execute(db);
  if (rows[0]?.integrity_check !== 'ok')
    throw new HilumError('DATABASE_INVALID', 'permanent', 'the database file is damaged');
  if (!(await hasTable(db, 'sqlite', 'migration')))
    throw new HilumError('DATABASE_INVALID', 'permanent', 'the database has no tables of Hilum');
  await stepsOf(db, 'sqlite');
  const old = await db.selectFrom('migration').select('name').execute();
  const steps = (await hasTable(db, 'sqlite', 'schema_step'))
    ? await db.selectFrom('schema_step').select('name').execute()
    : [];
  const count = async (table: 'study' | 'verdict' | 'account') =>
    (
      await db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('rows'))
        .executeTakeFirstOrThrow()
    ).rows;
  return {
    schema: [...new Set([...old, ...steps].map(({ name }) => name))].sort(),
    studies: await count('study'),
    verdicts: await count('verdict'),
    accounts: await count('account'),
  };
}

type Told = Omit<BackupManifest, 'bytes' | 'sha256' | 'createdAt'> & { readonly createdAt: Date };

async function writeTar(copy: string, beside: string, { createdAt, ...told }: Told): Promise<BackupManifest> {
  const [from, to] = [await open(copy, 'r'), await open(beside, 'wx', PRIVATE_MODE)];
  try {
    const { size } = await from.stat();
    await to.appendFile(tarHeader(DATABASE, size, createdAt));
    const sha256 = await pass(from, { start: 0, size }, (part) => to.appendFile(part));
    const manifest = { ...told, createdAt: createdAt.toISOString(), bytes: size, sha256 };
    const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
    const rest = [
      tarPadding(size),
      tarHeader(MANIFEST, text.length, createdAt),
      text,
      tarPadding(text.length),
      TAR_END,
    ];
    await to.appendFile(Buffer.concat(rest));
    return manifest;
  } finally {
    await from.close();
    await to.close();
  }
}

/** Copies a part of a file, block by block. Resolves to its SHA-256. */
async function pass(
  file: FileHandle,
  { start, size }: Pick<TarEntry, 'start' | 'size'>,
  take: (part: Buffer) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < size;) {
    const part = Buffer.alloc(Math.min(PART_BYTES, size - at));
    const { bytesRead } = await file.read(part, 0, part.length, start + at);
    if (bytesRead === 0) throw invalid('it is cut off');
    hash.update(part.subarray(0, bytesRead));
    await take(part.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest('hex');
}

/** A backup that is open. */
export interface OpenBackup {
  readonly manifest: BackupManifest;
  /** Writes the database to a new file; null only reads it. @throws HilumError BACKUP_INVALID */
  copyTo(path: string | null): Promise<void>;
}

/** @throws HilumError BACKUP_INVALID for a damaged backup, or a file that is none */
export async function withBackup<T>(path: string, work: (backup: OpenBackup) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    const entries = await tarEntries(file).catch((error: unknown) => {
      throw error instanceof RangeError ? invalid('it is no backup of Hilum, or is cut off') : error;
    });
    const [database, manifest] = [DATABASE, MANIFEST].map((name) => entries.find((entry) => entry.name === name));
    if (database === undefined || manifest === undefined) throw invalid('it is no backup of Hilum');
    const told = await manifestOf(file, manifest);
    if (told.bytes !== database.size) throw invalid('its parts do not fit together');
    return await work({ manifest: told, copyTo: (to) => copyOut(file, database, told, to) });
  } finally {
    await file.close();
  }
}

async function manifestOf(file: FileHandle, entry: TarEntry): Promise<BackupManifest> {
  if (entry.size > MAX_MANIFEST_BYTES) throw invalid('its manifest is too long');
  const parts: Buffer[] = [];
  await pass(file, entry, async (part) => void parts.push(part));
  let read: unknown;
  try {
    read = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw invalid('its manifest can not be read');
  }
  const { success, data } = manifestSchema.safeParse(read);
  if (!success) throw invalid('its manifest is not one that this version of Hilum knows');
  return data;
}

async function copyOut(
  file: FileHandle,
  entry: TarEntry,
  { sha256 }: BackupManifest,
  path: string | null,
): Promise<void> {
  const to = path === null ? null : await open(path, 'wx', PRIVATE_MODE);
  try {
    const found = await pass(file, entry, async (part) => to?.appendFile(part));
    if (found !== sha256) throw invalid('its content is not what was written (SHA-256)');
    await to?.sync();
  } finally {
    await to?.close();
  }
}

function invalid(why: string): HilumError {
  return new HilumError('BACKUP_INVALID', 'permanent', `the backup can not be used: ${why}`);
}
