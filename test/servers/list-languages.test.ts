import type { Page } from 'playwright-core';
import type { Language } from '../../src/language/say';
import { LANGUAGE_NAMES } from '../../src/language/languages';
import { wordsIn } from '../../src/language/words';
import type { Role } from '../../src/web/access/user';
import { holds, useListPages, violations } from '../support/web/browser';
import { shoot } from '../support/web/chromium';
import { fill, studyOf } from '../support/web/list-site';

/** The pages in a real browser of somebody who speaks another language. */
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', es: 'es-ES', de: 'de-AT', fr: 'fr-CA' };

const pages = useListPages(async (site) => {
  const patient = { PatientID: 'P-1', PatientName: 'Dreamer^Dora' };
  await site.analysed({ seed: 1, rows: 500, columns: 420 }, { probability: 0.9 }, { patient });
  await site.analysed({ seed: 2, rows: 400, columns: 420 }, { probability: 0.1 }, { patient });
  await site.analysed({ seed: 3 }, { lateral: 0.99 });
  await fill(site.worklist, 6);
});

const visit = (path: string, language: Language, size = WIDE, roles: readonly Role[] = ['radiologist']) =>
  pages.visit(path, { ...size, roles, browser: { locale: LOCALES[language] } });

const rowsAreThere = (page: Page) => holds(page, `document.querySelectorAll('[data-uid]').length > 2`);
const textOf = (page: Page) => page.evaluate<string>('document.body.innerText');

/** What reaches beyond the right edge, and makes the page scroll sideways. */
const overflow = (page: Page) =>
  page.evaluate<string[]>(`
    document.documentElement.scrollWidth <= innerWidth && main.scrollWidth <= main.clientWidth ? [] :
    [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => one.outerHTML.slice(0, 120))`);

/** English that no page of another language may show. */
const ENGLISH_WORDS =
  /\b(Longest wait|Unread|Analysed|Research use|no statement|below the|Waiting|arrived and waits)\b/i;

test.each(LANGUAGE_NAMES)(
  'the browser asks for %s: list and study',
  async (language) => {
    const { messages } = wordsIn(language);
    const page = await visit('/?work=all', language);
    await rowsAreThere(page);
    expect(await page.evaluate('document.documentElement.lang')).toBe(language);
    const list = await textOf(page);
    for (const key of ['research.statement', 'research.unverified', 'result.noStatement', 'list.work.unread'] as const)
      expect(list).toContain(messages[key]);
    expect(await page.title()).toContain(messages['page.title.list']);
    await page.goto(`${pages.site.url}/study/${studyOf(2)}`);
    await page.locator('#copy-report').waitFor();
    const study = await page.locator('#detail-page').innerText();
    const relation = (messages['result.below'] as string).replace('{point}', language === 'en' ? '50.0' : '50,0');
    for (const text of [
      messages['research.statement'],
      relation,
      messages['history.heading'],
      messages['verdict.agree'],
    ])
      expect(study).toContain(text);
    if (language !== 'en') {
      expect(list).not.toMatch(ENGLISH_WORDS);
      // The stored report stays English, and says so to a screen reader.
      const stored = await page.locator('.report [lang=en]').innerText();
      expect(stored).toMatch(/no statement about absence/);
      expect(study.replace(stored, '')).not.toMatch(ENGLISH_WORDS);
    }
    await shoot(page, `study ${language}.png`);
    expect(page.faults).toEqual([]);
  },
  60_000,
);

test.each([
  ['wide', WIDE],
  ['on a phone', PHONE],
] as const)(
  'German words have room, and are readable by everybody, %s',
  async (name, size) => {
    const page = await visit('/?work=all', 'de', size, ['radiologist', 'operator']);
    await rowsAreThere(page);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toEqual([]);
    await shoot(page, `list de ${name}.png`);
    await page.goto(`${pages.site.url}/study/${studyOf(1)}`);
    await page.locator('#copy-report').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toEqual([]);
    await shoot(page, `study de ${name}.png`);
    await page.goto(`${pages.site.url}/operators`);
    await holds(page, `document.querySelectorAll('#operators-page table').length > 0`);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toEqual([]);
    expect(page.faults).toEqual([]);
  },
  90_000,
);

test('a choice goes before the browser, is kept, and leaves the address as it was', async () => {
  const page = await visit('/?work=all&order=newest', 'de');
  await rowsAreThere(page);
  await page.locator('#language').selectOption('fr');
  await holds(page, `document.documentElement.lang === 'fr'`);
  await rowsAreThere(page);
  expect(new URL(page.url()).search).toBe('?work=all&order=newest');
  await page.goto(`${pages.site.url}/study/${studyOf(1)}`);
  await page.locator('#copy-report').waitFor();
  expect(await page.evaluate('document.documentElement.lang')).toBe('fr');
  expect(await page.locator('#language').inputValue()).toBe('fr');
  expect(page.faults).toEqual([]);
}, 60_000);
