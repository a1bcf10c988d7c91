import type { Request, Response } from 'express';
import type { ConfiguredLanguage } from '../../src/language/config';
import { LANGUAGES } from '../../src/language/say';
import { LANGUAGE_NAMES } from '../../src/language/languages';
import { wordsIn } from '../../src/language/words';
import type { StudyDetail } from '../../src/web/api/api-types';
import { chooseLanguage, wordsOf } from '../../src/web/language';
import { accessSite, type AccessSite, Browser, PASSWORD } from '../support/web/access-site';
import { ListSite, studyOf } from '../support/web/list-site';

interface Asked {
  readonly lang?: unknown;
  readonly cookie?: string;
  readonly accepts?: string | false;
}

function languageOf(configured: ConfiguredLanguage, { lang, cookie, accepts = false }: Asked) {
  const kept: unknown[] = [];
  const request = { query: { lang }, headers: { cookie }, acceptsLanguages: () => accepts } as unknown as Request;
  const response = { cookie: (...given: unknown[]) => kept.push(given) } as unknown as Response;
  chooseLanguage(configured, true)(request, response, () => undefined);
  return { language: wordsOf(request).language, kept };
}

test.each<[ConfiguredLanguage, Asked, string]>([
  ['auto', {}, 'en'],
  ['auto', { accepts: 'fr' }, 'fr'],
  ['de', { accepts: 'fr' }, 'de'],
  ['de', { accepts: 'fr', cookie: 'hilum=x; hilum-language=es' }, 'es'],
  ['de', { cookie: 'hilum-language=es', lang: 'en' }, 'en'],
  // What nobody speaks is as good as nothing.
  ['de', { cookie: 'hilum-language=xx', lang: 'constructor' }, 'de'],
  ['auto', { lang: ['de', 'fr'], accepts: false }, 'en'],
  ['auto', { cookie: 'my-hilum-language=de' }, 'en'],
])('configured %s, asked with %j: %s', (configured, asked, expected) => {
  expect(languageOf(configured, asked).language).toBe(expected);
});

test('only a choice is kept, in a cookie that holds nothing else', () => {
  expect(languageOf('auto', { accepts: 'de' }).kept).toEqual([]);
  expect(languageOf('auto', { lang: 'de' }).kept).toEqual([
    ['hilum-language', 'de', { maxAge: 31_536_000_000, httpOnly: true, sameSite: 'lax', secure: true }],
  ]);
});

describe('sign-in and account pages', () => {
  let site: AccessSite;
  beforeAll(async () => {
    site = await accessSite();
    await site.directory.add({ username: 'chief', displayName: 'C', password: PASSWORD, roles: ['admin'] });
  });
  afterAll(() => site.close());

  test.each(LANGUAGE_NAMES)('in %s, whatever is refused too', async (language) => {
    const { messages } = wordsIn(language);
    const browser = new Browser();
    const first = await browser.go(`${site.origin}/sign-in`, {
      headers: { 'Accept-Language': `${language}-AT,en;q=0.5` },
    });
    expect(first.text).toContain(`<html lang="${language}">`);
    expect(first.text).toContain(`<title>${messages['signIn.title'] as string} - Hilum</title>`);
    expect(first.text).toContain(messages['research.sentence'] as string);
    for (const name of Object.values(LANGUAGES)) expect(first.text).toContain(name);
    await browser.go(`${site.origin}/sign-in?lang=${language}`);
    const wrong = await browser.post(`${site.origin}/sign-in`, { username: 'chief', password: 'no', returnTo: '/' });
    expect(wrong.text).toContain(escaped(messages['problem.wrong'] as string));
    await browser.post(`${site.origin}/sign-in`, { username: 'chief', password: PASSWORD, returnTo: '/' });
    for (const [path, key] of [
      ['/account', 'account.change'],
      ['/account/users', 'account.newAccount'],
      ['/account/sessions', 'account.lastUsed'],
      ['/account/tokens', 'account.newToken'],
    ] as const) {
      const { text } = await browser.go(`${site.origin}${path}`);
      expect(text).toContain(`<html lang="${language}">`);
      expect(text).toContain(escaped(messages[key] as string));
    }
    const short = await browser.post(`${site.origin}/account/password`, { current: PASSWORD, next: 'x' });
    expect(short.text).toContain((messages['problem.passwordShort'] as string).replace('{length}', '12'));
    const made = await browser.post(`${site.origin}/account/tokens`, { label: '', role: 'metrics', days: '1' });
    expect(made.text).toContain(escaped(messages['problem.tokenLabel'] as string));
    const token = await browser.post(`${site.origin}/account/tokens`, { label: 'x', role: 'metrics', days: '1' });
    expect(token.text).toContain(escaped(messages['account.newTokenShown'] as string));
    const forged = await browser.post(`${site.origin}/account/password`, {}, { Origin: 'https://evil.example' });
    expect(forged.status).toBe(403);
    expect(forged.text).toContain(escaped(messages['problem.403'] as string));
  });

  test('what another program gets is English', async () => {
    const browser = new Browser();
    await browser.go(`${site.origin}/sign-in?lang=de`);
    const { text } = await browser.go(`${site.origin}/api/studies`, { headers: { Accept: 'application/json' } });
    expect(JSON.parse(text)).toEqual({ error: 'Please sign in.' });
  });
});

const escaped = (text: string) => text.replaceAll("'", '&#39;').replaceAll('"', '&quot;');

describe('the reading list', () => {
  let site: ListSite;
  beforeAll(async () => {
    site = await ListSite.open();
    await site.analysed({ seed: 1 }, { probability: 0.9 });
    await site.analysed({ seed: 2 }, { lateral: 0.99 });
  });
  afterAll(() => site.close());
  const page = (path: string, language: string) =>
    fetch(`${site.url}${path}`, { headers: { 'x-test-roles': 'radiologist', 'Accept-Language': language } });

  test.each(LANGUAGE_NAMES)(
    'its page is in %s before any script has run, and its words come along',
    async (language) => {
      const answer = await page('/', language);
      expect(answer.headers.get('vary')).toMatch(/Cookie.*Accept-Language/i);
      const text = await answer.text();
      expect(text).toContain(`<html lang="${language}">`);
      expect(text).toContain(escaped(wordsIn(language).messages['research.statement'] as string));
      expect(text).not.toContain('{{');
      const words = (await (await page(`/ui/${language}.json`, 'en')).json()) as object;
      expect(words).toEqual(wordsIn(language).messages);
    },
  );

  test('there are words of these languages alone', async () => {
    expect((await page('/ui/it.json', 'it')).status).toBe(404);
    expect(await (await page('/', 'it')).text()).toContain('<html lang="en">');
  });

  test('the API answers in English, with what a page needs to say it otherwise', async () => {
    const detail = async (seed: number) =>
      (await (await page(`/api/v1/studies/${studyOf(seed)}`, 'de')).json()) as StudyDetail;
    const { history, films } = await detail(2);
    expect(films[0]).toMatchObject({ reason: 'lateral-view', reasonText: expect.stringContaining('lateral view') });
    expect(films[0]!.remarks).toHaveLength(films[0]!.remarksSaid.length);
    expect(history.length).toBeGreaterThan(0);
    for (const { text, said } of history) {
      expect(text).toMatch(/^[a-z]/);
      expect(said.length).toBeGreaterThan(0);
    }
  });
});
