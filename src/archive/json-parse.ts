import { textOf } from '../net/http';
import { looksLikePage } from './archive-http';

/** What `json-thread.ts` asks of `json-worker.ts`. */
export interface JsonRequest {
  readonly bytes: Uint8Array;
  /** Top-level tags of each row that are handed back. */
  readonly tags: readonly string[];
}

/** `isPage`: it is no JSON, but a page of HTML. */
export type JsonReply =
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  | { readonly kind: 'no-json'; readonly isPage: boolean }
  | { readonly kind: 'no-array' };

/** Never throws: an error of V8 quotes the text, which may name a patient. */
export function parseJson(bytes: Uint8Array): JsonReply {
  const text = textOf(bytes);
  try {
    const rows = JSON.parse(text) as unknown;
    return Array.isArray(rows) ? { kind: 'rows', rows: rows as unknown[] } : { kind: 'no-array' };
  } catch {
    return { kind: 'no-json', isPage: looksLikePage(text) };
  }
}

/** Each row with no more than these top-level tags. */
export function keepTags(rows: readonly unknown[], tags: readonly string[]): unknown[] {
  return rows.map((row) =>
    typeof row === 'object' && row !== null
      ? Object.fromEntries(tags.flatMap((tag) => (tag in row ? [[tag, (row as Record<string, unknown>)[tag]]] : [])))
      : row,
  );
}
