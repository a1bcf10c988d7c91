import { textOf } from '../net/http';
import { looksLikePage } from './archive-http';

/** What `json-thread.ts` asks of `json-worker.ts`. */
export interface JsonRequest {
  readonly bytes: Uint8Array;
  /** Top-level tags of each row that are returned. */
  readonly tags: readonly string[];
}

/** `isPage`: it was an HTML page, not JSON. */
export type JsonReply =
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  | { readonly kind: 'no-json'; readonly isPage: boolean }
  | { readonly kind: 'no-array' };

/** Never throws, as V8's error message quotes the text, which may name a patient. */
export function parseJson(bytes: Uint8Array): JsonReply {
  const text = textOf(bytes);
  try {
    const rows = JSON.parse(text) as unknown;
    return Array.isArray(rows) ? { kind: 'rows', rows: rows as unknown[] } : { kind: 'no-array' };
  } catch {
    return { kind: 'no-json', isPage: looksLikePage(text) };
  }
}

/** Each row reduced to these top-level tags. */
export function keepTags(rows: readonly unknown[], tags: readonly string[]): unknown[] {
  return rows.map((row) =>
    typeof row === 'object' && row !== null
      ? Object.fromEntries(tags.flatMap((tag) => (tag in row ? [[tag, (row as Record<string, unknown>)[tag]]] : [])))
      : row,
  );
}
