import express, { type RequestHandler } from 'express';

/** A malformed request: neither the service's fault nor a matter of rights. */
class Unreadable extends Error {
  readonly status = 400;
}

/**
 * Status of an error that the request caused, as Express and its body parsers mark it (`status` 400 to 499: a body that
 * is too long or no JSON, an unknown charset or encoding, a path that can't be decoded); null for any other error.
 */
export function requestFault(error: unknown): number | null {
  const { status } = (error instanceof Error ? error : {}) as { readonly status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}

/**
 * Refuses a request whose URL is invalid (RFC 3986) or contains NUL, which PostgreSQL can't store: so no route has to
 * check. `originOf`: scheme and host of the request.
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

/** Parser for forms of the sign-in pages, which refuses NUL as in URLs. */
export const form = express.urlencoded({
  extended: false,
  limit: '10kb',
  parameterLimit: 50,
  verify: (_request, _response, body) => {
    if (body.includes('%00') || body.includes(0)) throw new Unreadable('the form holds a NUL');
  },
});

/** Parser for JSON bodies, likewise. */
export const json = (limit: string): RequestHandler =>
  express.json({
    limit,
    reviver: (_key, value: unknown) => {
      if (typeof value === 'string' && value.includes('\0')) throw new Unreadable('the body holds a NUL');
      return value;
    },
  });
