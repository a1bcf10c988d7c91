import { type RequestHandler, Router } from 'express';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { html } from '../base/html';
import { sayIt, type Words } from '../language/say';
import { LANGUAGE_NAMES } from '../language/languages';
import { signedIn } from './access/user';
import { wordsOf } from './language';

/** The built pages: `npm run build` puts them beside this file. */
const PAGES_DIR = join(__dirname, 'pages');

/** Scripts, styles and pictures of the service only, nothing inline, no frames. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Paths of the single page; its content comes from the API, by the user's rights. */
const PLACES = ['/', '/study/:study', '/operators'];
const ASSETS = ['style.css', 'study.css', 'icon.svg', ...LANGUAGE_NAMES.map((name) => `${name}.json`)];

/** `icon-1.svg` to `icon-10.svg`: the icon with a number; the last one stands for ten and more. */
const NUMBERED = /^icon-([1-9]|10)\.svg$/;

/** A file for each number, so that the page's policy need not allow pictures made by scripts. */
function numberedIcon(icon: string, number: number): string {
  const badge =
    '<circle cx="21" cy="21" r="11" fill="#c62f12"/><text x="21" y="26.5" font-family="sans-serif" ' +
    `font-size="15" font-weight="700" text-anchor="middle" fill="#fff">${number > 9 ? '9+' : number}</text>`;
  return icon.replace('</svg>', `${badge}</svg>`);
}

/** The reading list's page in the reader's language, with style, scripts and messages. */
export function pageRoutes(dir = PAGES_DIR): Router {
  const router = Router();
  const policy: RequestHandler = (_request, response, next) => {
    // The access layer's policy is the same plus the targets of forms.
    if (!response.hasHeader('Content-Security-Policy')) response.set('Content-Security-Policy', PAGE_POLICY);
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'private, no-cache' });
    next();
  };
  router.get(PLACES, signedIn, policy, async (request, response) => {
    const words = wordsOf(request);
    response.vary('Cookie').vary('Accept-Language');
    response.type('html').send(inWords(await readFile(join(dir, 'index.html'), 'utf8'), words));
  });
  router.get('/ui/:name', signedIn, policy, (request, response, next) => {
    const name = String(request.params['name']);
    const [, number] = NUMBERED.exec(name) ?? [];
    if (number !== undefined) {
      response.type('svg').send(numberedIcon(readFileSync(join(dir, 'icon.svg'), 'utf8'), Number(number)));
      return;
    }
    if (!ASSETS.includes(name) && !/^[a-z-]+\.js$/.test(name)) {
      next();
      return;
    }
    response.sendFile(name, { root: dir, cacheControl: false }, (error) => error && next());
  });
  return router;
}

/** `{{key}}` is a message without placeholders, `{{language}}` the language. */
function inWords(page: string, words: Words): string {
  return page.replace(/\{\{([\w.-]+)\}\}/g, (whole, key: string) =>
    key === 'language' ? words.language : html`${sayIt(words, { key, values: {} }) ?? whole}`.text,
  );
}
