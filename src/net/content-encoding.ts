import { once } from 'node:events';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** A body that can't be decompressed: damaged, cut short, or in a coding that was not asked for. */
export class ContentEncodingError extends Error {}

/**
 * The body without its content codings (RFC 9110 section 8.4.1), decompressed as it is read, so that a limit on reading
 * also limits decompression. Errors of a lost connection are passed on unchanged.
 */
export function unpacked(body: Readable, contentEncoding: string): AsyncIterable<Uint8Array> {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  return codings.length === 0 ? body : unpack(body, codings);
}

async function* unpack(body: Readable, codings: readonly string[]): AsyncGenerator<Uint8Array> {
  let lost: Error | undefined;
  body.on('error', (error: Error) => (lost = error));
  const first = await firstPiece(body);
  if (first === null) return;
  const unpackers = [...codings].reverse().map((coding, index) => unpackerOf(coding, index === 0 ? first : null));
  const last = unpackers.reduce<Readable>((from, to) => pipeline(from, to, () => {}), body);
  try {
    yield* last as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw lost ?? new ContentEncodingError('a compressed answer is damaged', { cause: error });
  }
}

/** The body with its first chunk read; null where it is empty, which is no compressed body. */
async function firstPiece(body: Readable): Promise<Uint8Array | null> {
  const ended = once(body, 'end').then(() => null);
  const readable = once(body, 'readable').then(() => body.read() as Uint8Array | null);
  const piece = await Promise.race([readable, ended]);
  ended.catch(() => {});
  if (piece !== null) body.unshift(piece);
  return piece;
}

function unpackerOf(coding: string, first: Uint8Array | null): Transform {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'deflate':
      // Should be zlib (RFC 1950), but some servers send raw deflate (RFC 1951).
      return first === null || hasZlibHeader(first) ? createInflate() : createInflateRaw();
    default:
      throw new ContentEncodingError('an answer is compressed in a way that was not asked for');
  }
}

/** RFC 1950 section 2.2: method 8, and both bytes together a multiple of 31. */
function hasZlibHeader([method = 0, flags = 0]: Uint8Array): boolean {
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0;
}
