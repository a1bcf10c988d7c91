import type { Kysely } from 'kysely';

/** The two kinds of database that the list may be in. */
export type DatabaseKind = 'sqlite' | 'postgres';

/** Versions of Hilum that changed the schema, in order: the first is release 1. */
export const RELEASES = ['0.1', '0.2'] as const;

/**
 * A step of the schema. It is never changed once released; a later step corrects it.
 *
 * Processes are updated one after the other, and a site may have to go back, so that the previous version must work
 * with the new schema. A step `expands` if each statement of the previous version works as before: tables, optional
 * columns, triggers; an index may be dropped, as it changes no result. A step that removes something `contracts`, which
 * is allowed only if the previous version does not use it any more.
 */
export type Migration = MigrationStep & (Expanding | Contracting);

interface MigrationStep {
  /** NNN-what, as its file. */
  readonly name: string;
  /** Index in {@link RELEASES} of the version that introduced it, counted from 1. */
  readonly release: number;
  up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void>;
}

interface Expanding {
  readonly change: 'expands';
}

interface Contracting {
  readonly change: 'contracts';
  /** First release that does not use what is removed: an earlier one than the step's own. */
  readonly unusedSince: number;
}
