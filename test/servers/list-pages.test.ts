import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { parseUid } from '../../src/dicom/uid';
import type { Role } from '../../src/web/access/user';
import { fill, ListSite, studyOf } from '../support/list-site';

/** Screenshots stay for whoever looks at a run; they are no part of the repository. */
const ARTEFACTS = resolve(__dirname, '../../artefacts');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let site: ListSite;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  mkdirSync(ARTEFACTS, { recursive: true });
  site = await ListSite.open();
  await site.analysed({ seed: 1, rows: 500, columns: 420 }, { probability: 0.9 }, { segmentation: true });
  await site.analysed({ seed: 2 }, { probability: 0.1 }, { patient: { PatientID: 'P-2', PatientName: 'Second^Sam', AccessionNumber: 'A-2' } });
  await site.analysed({ seed: 3 }, { lateral: 0.99 }, { patient: { PatientID: 'P-3', PatientName: 'Third^Tia', AccessionNumber: 'A-3' } });
  await fill(site.worklist, 8);
  await site.worklist.advance(parseUid('1.2.826.0.1.8'), { kind: 'failed', reason: 'ARCHIVE_REFUSED' });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'] });
}, 120_000);

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
}, 60_000);

interface Visit {
  readonly roles?: readonly Role[];
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly at?: ListSite;
}

/** A browser of somebody with these roles. What the page's policy forbids, and every error of a script, fails the test that looks at `faults`. */
async function visit(path = '/', { roles = ['radiologist'], width = 1280, height = 800, dark = false, at = site }: Visit = {}): Promise<Page & { faults: string[] }> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', extraHTTPHeaders: { 'x-test-roles': roles.join(',') } });
  contexts.push(context);
  const page = (await context.newPage()) as Page & { faults: string[] };
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && page.faults.push(message.text()));
  await page.goto(`${at.url}${path}`);
  return page;
}

const row = (page: Page, uid: string) => page.locator(`[data-uid="${uid}"]`);

/** Violations of WCAG 2.2 A and AA and of axe's best practices. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => (await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe.run()).violations);
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).slice(0, 3).join(' | ')}`);
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(ARTEFACTS, name) });
}

test('the list shows urgent studies first, with state, reason, probability against the operating point, pictures, and what it is for', async () => {
  const page = await visit();
  await row(page, studyOf(1)).waitFor();
  expect(await page.locator('#grid-body [role=row].urgent').count()).toBe(2);
  const classes = await page.locator('#grid-body [role=row]').evaluateAll((rows) => rows.map((one) => one.className.includes('urgent')));
  expect(classes).toEqual([...classes].sort((a, b) => Number(b) - Number(a)));
  const urgent = await row(page, studyOf(1)).innerText();
  for (const words of ['Urgent', 'Dreamer, Dora', 'P-77', 'A-1', '90.0 %', 'at or above 50.0 %', 'Research use', 'frontal']) expect(urgent).toContain(words);
  expect(await row(page, studyOf(2)).innerText()).toContain('No statement about absence');
  expect(await row(page, studyOf(3)).innerText()).toContain('Not analysed because the film looks like a lateral view; only frontal films are analysed');
  expect(await row(page, '1.2.826.0.1.8').innerText()).toContain('Failed because ARCHIVE_REFUSED');
  expect(await page.locator('.top .research').innerText()).toBe('Research use only - not for diagnosis. Unverified.');
  await page.waitForFunction((uid) => [...document.querySelectorAll<HTMLImageElement>(`[data-uid="${uid}"] img`)].filter((image) => image.complete && image.naturalWidth > 0).length === 2, studyOf(1));
  const mark = await row(page, studyOf(1)).locator('.mark').evaluate((element) => (element as HTMLElement).style.left);
  expect(mark).toBe('50%');
  await shoot(page, 'list.png');
  expect(page.faults).toEqual([]);
}, 60_000);
