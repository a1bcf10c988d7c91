import type { z } from 'zod';
import { HilumError } from '../base/errors';

/** @throws HilumError EVENT_INVALID (permanent) that names the wrong keys and quotes none of their values */
export function readEvent<T>(
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  { what, maxBytes }: { readonly what: string; readonly maxBytes: number },
): T {
  const invalid = (why: string) =>
    new HilumError('EVENT_INVALID', 'permanent', `not ${what} of schema version 1: ${why}`);
  if (bytes.length > maxBytes) throw invalid(`it is longer than ${maxBytes} bytes`);
  const parsed = schema.safeParse(parseJson(bytes, invalid));
  if (!parsed.success)
    throw invalid([...new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'the whole'))].join(', '));
  return parsed.data;
}

function parseJson(bytes: Uint8Array, invalid: (why: string) => HilumError): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw invalid('it is not JSON in UTF-8');
  }
}
