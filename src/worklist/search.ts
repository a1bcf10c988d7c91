import { type Kysely, type RawBuilder, sql, type SqlBool } from 'kysely';
import type { DatabaseKind } from './migrations/migration';
import { fold } from './record-columns';
import type { Schema } from './schema';

/** What a user searches for. */
export interface Search {
  /** Each must be in what is searched, as it stands; each of three characters at least, as the indexes need it. */
  readonly patterns: readonly string[];
  /** Whether this user may see patients: else what his rows do not show is not searched, as a search would tell it. */
  readonly withPatient: boolean;
}

const MAX_WORDS = 8;
/** A trigram index looks for three characters; two spaces stand before each word of `list_entry`. */
const TRIGRAM = 3;
/** The last characters of a pattern are looked up in the index, the whole is compared then: UIDs begin alike. */
const LOOKED_UP = 12;
/** With more entries than this that may match, it is quicker to look at all than to look them up (measured). */
const MOST_LOOKED_UP = 25_000;

/**
 * Words of three characters and more are found anywhere, shorter ones where a word begins. Null where nothing is
 * searched for.
 */
export function searchOf(text: string, withPatient: boolean): Search | null {
  const patterns = fold(text)
    .split(' ')
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS)
    .map((word) => word.padStart(word.length + TRIGRAM - characters(word).length));
  return patterns.length === 0 ? null : { patterns, withPatient };
}

export type Condition = RawBuilder<SqlBool>;

/** Compares the text itself; the longest words first, as fewer have them. */
export function matching({ patterns, withPatient }: Search): readonly Condition[] {
  return [...patterns]
    .sort((a, b) => b.length - a.length)
    .map((pattern) => {
      const like = `%${pattern.replace(/[\\%_]/g, '\\$&')}%`;
      const inStudy = sql<SqlBool>`search_study like ${like} escape '\\'`;
      return withPatient ? sql<SqlBool>`(${inStudy} or search_patient like ${like} escape '\\')` : inStudy;
    });
}

/** How a search is done. */
export interface Plan {
  readonly conditions: readonly Condition[];
  /** The share of entries that match, 0..1, filters left aside; null where it is not known. */
  readonly share: number | null;
}

/**
 * By SQLite's search index where not too many entries match, else as {@link matching}. PostgreSQL decides by itself
 * whether it uses its own.
 */
export async function planOf(
  db: Kysely<Schema>,
  kind: DatabaseKind,
  search: Search,
  most = MOST_LOOKED_UP,
): Promise<Plan> {
  const compared: Plan = { conditions: matching(search), share: null };
  if (kind === 'postgres') return compared;
  const query = matchQuery(search);
  const { rows } = await sql<{ matches: number; entries: number }>`select
    (select count(*) from (select rowid from list_search where list_search match ${query} limit ${most + 1}))
      as matches,
    (select coalesce(sum(studies), 0) from list_count) as entries`.execute(db);
  const { matches, entries } = rows[0]!;
  if (matches > most) return compared;
  const long = search.patterns.filter((pattern) => characters(pattern).length > LOOKED_UP);
  return {
    conditions: [
      sql`id in (select rowid from list_search where list_search match ${query})`,
      ...matching({ ...search, patterns: long }),
    ],
    share: matches / Math.max(1, entries),
  };
}

/** In FTS5's language, quoted, so that nothing in it is an operator (sqlite.org/fts5.html, section 3). */
function matchQuery({ patterns, withPatient }: Search): string {
  const columns = withPatient ? '{search_study search_patient}' : '{search_study}';
  return patterns
    .map((pattern) => characters(pattern).slice(-LOOKED_UP).join(''))
    .map((text) => `${columns} : "${text.replaceAll('"', '""')}"`)
    .join(' AND ');
}

/** Code points, as the databases count. */
const characters = (text: string) => Array.from(text);
