import type { Kysely } from 'kysely';

/** The two kinds of database that the list may be in. */
export type DatabaseKind = 'sqlite' | 'postgres';

/** Versions of Hilum that brought steps of the schema, in their order: the first is release 1. */
export const RELEASES = ['0.1', '0.2'] as const;

/**
 * One step of the schema. It is never changed once released: the next step mends it.
 *
 * Versions are updated one process after the other, and a site may have to go back: so the version before must run on
 * what a version makes of the schema. A step `expands` when each statement of the version before works as it did:
 * tables, columns that may be left out, triggers; an index may go, as it changes no answer. A step that takes something
 * away `contracts`, and may do so only where the version before does not use it any more.
 */
export type Migration = MigrationStep & (Expanding | Contracting);

interface MigrationStep {
  /** NNN-what, as its file is called. */
  readonly name: string;
  /** Place in {@link RELEASES} of the version that has it first, counted from 1. */
  readonly release: number;
  up(db: Kysely<unknown>, kind: DatabaseKind): Promise<void>;
}

interface Expanding {
  readonly change: 'expands';
}

interface Contracting {
  readonly change: 'contracts';
  /** The first release that does not use what is taken away: an earlier one than the step's own. */
  readonly unusedSince: number;
}
