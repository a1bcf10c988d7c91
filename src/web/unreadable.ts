import express, { type RequestHandler } from 'express';

/** A request that nothing can be made of: not the service's fault, and not a matter of rights. */
class Unreadable extends Error {
  readonly status = 400;
}

/**
 * Status of an error that the request itself caused, as Express and its body parsers mark it (`status` 400 to 499:
 * a body that is too long, no JSON, in a charset or an encoding that nobody knows, a path that can't be decoded); null
 * for any other error.
 */
export function requestFault(error: unknown): number | null {
  const { status } = (error instanceof Error ? error : {}) as { readonly status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}

/**
 * Refuses a request whose address is none (RFC 3986), or holds a NUL, which PostgreSQL has no text for: no route has
 * to think of either. `originOf`: scheme and host that the request names.
 */
export function readableAddress(originOf: (request: express.Request) => string): RequestHandler {
  return (request, _response, next) => {
    next(isReadable(request.originalUrl, originOf(request)) ? undefined : new Unreadable('the address is none'));
  };
}

function isReadable(target: string, origin: string): boolean {
  if (!URL.canParse(target, origin) || target.includes('%00')) return false;
  try {
    decodeURIComponent(new URL(target, origin).pathname);
    return true;
  } catch {
    return false;
  }
}

/** Forms of the sign-in pages, without NUL as addresses are. */
export const form = express.urlencoded({
  extended: false,
  limit: '10kb',
  parameterLimit: 50,
  verify: (_request, _response, body) => {
    if (body.includes('%00') || body.includes(0)) throw new Unreadable('the form holds a NUL');
  },
});

/** JSON bodies, the same. */
export const json = (limit: string): RequestHandler =>
  express.json({
    limit,
    reviver: (_key, value: unknown) => {
      if (typeof value === 'string' && value.includes('\0')) throw new Unreadable('the body holds a NUL');
      return value;
    },
  });
