import { parseCookie } from 'cookie';
import type { Request, RequestHandler } from 'express';
import type { ConfiguredLanguage } from '../language/config';
import type { Language, Words } from '../language/say';
import { isLanguage, LANGUAGE_NAMES } from '../language/languages';
import { ENGLISH, wordsIn } from '../language/words';

/** Cookie with nothing but the language that was chosen by `?lang=` on any page. */
const COOKIE = 'hilum-language';
const YEAR_MS = 365 * 24 * 3_600_000;

const chosen = new WeakMap<Request, Language>();

/**
 * Sets the language of a request's response: `?lang=`, which is stored in a cookie, else the cookie's, else the
 * configured one; where that is `auto`, the browser's (Accept-Language), else English.
 */
export function chooseLanguage(configured: ConfiguredLanguage, isHttps: boolean): RequestHandler {
  return (request, response, next) => {
    const asked = request.query['lang'];
    if (isLanguage(asked))
      response.cookie(COOKIE, asked, { maxAge: YEAR_MS, httpOnly: true, sameSite: 'lax', secure: isHttps });
    chosen.set(request, isLanguage(asked) ? asked : (kept(request) ?? byDefault(configured, request)));
    next();
  };
}

/** Catalogue for the response to a request; English where {@link chooseLanguage} was not called. */
export function wordsOf(request: object): Words {
  const language = chosen.get(request as Request);
  return language === undefined ? ENGLISH : wordsIn(language);
}

function kept(request: Request): Language | null {
  const value = parseCookie(request.headers.cookie ?? '')[COOKIE];
  return isLanguage(value) ? value : null;
}

function byDefault(configured: ConfiguredLanguage, request: Request): Language {
  if (configured !== 'auto') return configured;
  const best = request.acceptsLanguages(...LANGUAGE_NAMES);
  return isLanguage(best) ? best : 'en';
}
