import type { Request, RequestHandler } from 'express';
import helmet from 'helmet';
import { isLoopback, networkSet, plainAddress } from '../../net/network';
import type { HttpConfig } from '../config';
import { Refused } from './user';

/**
 * Further targets of forms: the OpenID Connect provider, as browsers apply form-action to the redirect after a sign-out
 * too.
 */
export interface HeaderSettings {
  readonly isHttps: boolean;
  readonly formTargets: () => readonly string[];
}

const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * Security headers: the page's own scripts and styles only, no frames either way, no caching, no Referer to other
 * sites.
 */
export function headers({ isHttps, formTargets }: HeaderSettings): RequestHandler[] {
  const own = ["'self'"];
  const directives = {
    defaultSrc: ["'none'"],
    scriptSrc: own,
    styleSrc: own,
    imgSrc: ["'self'", 'blob:'],
    connectSrc: own,
    fontSrc: own,
    manifestSrc: own,
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
    formAction: ["'self'", () => formTargets().join(' ')],
    requireTrustedTypesFor: ["'script'"],
  };
  return [
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives },
      // Not "no-referrer", with which browsers send "Origin: null" with forms.
      referrerPolicy: { policy: 'same-origin' },
      frameguard: { action: 'deny' },
      strictTransportSecurity: isHttps ? { maxAge: YEAR_SECONDS } : false,
    }),
    (_request, response, next) => {
      response.set({
        'Cache-Control': 'no-store',
        'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
      });
      next();
    },
  ];
}

/** With a declared reverse proxy, only this proxy and this machine may connect, as the port itself has no TLS. */
export function proxyOnly({ trustedProxies, tls }: HttpConfig): RequestHandler {
  const isProxy = networkSet(trustedProxies);
  return (request, _response, next) => {
    const address = plainAddress(request.socket.remoteAddress ?? '');
    const isAllowed = trustedProxies.length === 0 || tls !== undefined || isLoopback(address) || isProxy(address);
    next(isAllowed ? undefined : new Refused(403));
  };
}

/**
 * Without a sign-in, the Host header must be loopback. A page of another site can make its name point to 127.0.0.1 (DNS
 * rebinding) and would read everything; the Host header gives it away. A forwarded request comes from an undeclared
 * proxy, behind which others could be.
 */
export function loopbackOnly(request: Request): boolean {
  const host = request.headers.host ?? '';
  const name = host.replace(/:\d+$/, '');
  return (
    isLoopback(name) && request.headers['x-forwarded-for'] === undefined && request.headers.forwarded === undefined
  );
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request that changes something comes from our own pages: by Sec-Fetch-Site, which no page can forge, or by
 * Origin in older browsers; refused without either. Preferred to tokens in forms: nothing to store or leak, and it also
 * protects the sign-in. Cookies are SameSite=Lax as well.
 */
export function isFromOurselves(request: Request, origin: string): boolean {
  if (SAFE_METHODS.has(request.method)) return true;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return request.headers.origin === origin;
}
