import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { Role } from '../../../src/web/access/user';
import { until } from '../servers/servers';
import { launchChromium } from './chromium';
import { ListSite } from './list-site';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Somebody at a browser. */
export interface Visit {
  readonly user?: string;
  readonly roles?: readonly Role[];
  /** Of the window (CSS pixels). */
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** Another reading list than the test file's own. */
  readonly at?: ListSite;
  /** What else the browser has, such as its language. */
  readonly browser?: BrowserContextOptions;
}

/** `faults`: what the page's policy forbade, and every error of a script; a test expects that there is none. */
type Watched = Page & { readonly faults: string[] };

/** A reading list and a browser for one test file, or for one `describe`, which calls it once. */
export interface ListPages {
  readonly site: ListSite;
  /** A browser of its own, closed after the test. */
  readonly browserOf: (visit?: Visit) => Promise<BrowserContext>;
  readonly pageIn: (context: BrowserContext, path: string, at?: ListSite) => Promise<Watched>;
  /** A page in a browser of its own. */
  readonly visit: (path?: string, visit?: Visit) => Promise<Watched>;
}

/**
 * Opens a reading list and a browser before all tests of the file, and closes them after.
 * @param fill what the list is to hold
 * @param usual of every visit that doesn't say otherwise
 */
export function useListPages(
  fill: (site: ListSite) => Promise<void>,
  {
    open = () => ListSite.open(),
    usual = {},
  }: { readonly open?: () => Promise<ListSite>; readonly usual?: Visit } = {},
): ListPages {
  let site: ListSite | undefined;
  let browser: Browser | undefined;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    site = await open();
    await fill(site);
    browser = await launchChromium();
  }, 120_000);

  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  }, 60_000);

  const pages: ListPages = {
    get site() {
      return site!;
    },
    async browserOf(visit = {}) {
      const {
        user = 'test',
        roles = ['radiologist'],
        width = 1280,
        height = 800,
        dark = false,
      } = { ...usual, ...visit };
      const context = await browser!.newContext({
        ...usual.browser,
        ...visit.browser,
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
        extraHTTPHeaders: { 'x-test-roles': roles.join(','), 'x-test-user': user },
      });
      contexts.push(context);
      return context;
    },
    async pageIn(context, path, at = pages.site) {
      const page = Object.assign(await context.newPage(), { faults: [] as string[] });
      page.on('pageerror', (error) => page.faults.push(error.message));
      page.on('console', (message) => message.type() === 'error' && page.faults.push(message.text()));
      await page.goto(`${at.url}${path}`);
      return page;
    },
    async visit(path = '/', visit = {}) {
      return pages.pageIn(await pages.browserOf(visit), path, visit.at);
    },
  };
  return pages;
}

/**
 * Waits until an expression is true. Not waitForFunction: it evaluates text inside the page, which the page's policy
 * forbids.
 */
export async function holds(page: Page, expression: string, timeoutMs = 20_000): Promise<void> {
  let problem = '';
  const look = () =>
    page.evaluate<boolean>(expression).catch((error: unknown) => {
      // A page that is being left has no answer.
      problem = `: ${String(error)}`;
      return false;
    });
  await until(() => `${expression}${problem}`, look, timeoutMs);
}

/** The row of a study. */
export const row = (page: Page, uid: string) => page.locator(`[data-uid="${uid}"]`);

/** Violations of WCAG 2.2 A and AA and of axe's best practices. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate<{
    violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[];
  }>('axe.run()');
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary = '' }) => `${html} ${failureSummary}`).join(' | ')}`,
  );
}
