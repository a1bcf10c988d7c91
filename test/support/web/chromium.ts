import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Screenshots and prints stay for whoever looks at a run; they are no part of the repository. */
export const ARTEFACTS = resolve(__dirname, '../../../artefacts');

/** Debian's Chromium, which asks nobody for anything but what a page does. */
export function launchChromium(...more: readonly string[]): Promise<Browser> {
  mkdirSync(ARTEFACTS, { recursive: true });
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      ...more,
    ],
  });
}

export async function shoot(page: Page, name: string, options: { readonly fullPage?: boolean } = {}): Promise<void> {
  await page.screenshot({ path: join(ARTEFACTS, name), ...options });
}
