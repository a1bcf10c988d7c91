#!/usr/bin/env node
/**
 * npm run screenshots: pictures of the reading list and of a study for the documents, light and dark, 1440 x 900, of
 * the demo's drawn films alone. Starts RabbitMQ, Orthanc and the service as the demo does, and ends them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { drawnFilms } from './demo/films.mjs';
import { ensure } from './setup.mjs';
import { workFolder } from '../lib/processes.cjs';
import { Explained, ROOT, runMain, say } from '../lib/shell.mjs';

const IMAGES = path.join(ROOT, 'docs/images');
const SIZE = { width: 1440, height: 900 };
const WAIT_MS = 60_000;

async function main() {
  await ensure({ servers: true });
  const { startLine, orthancApi, unlessEnded } = await import('../lib/service.mjs');
  const results = await import('./demo/results.mjs');
  const { dir } = workFolder('hilum-screenshots-');
  const line = await startLine({ dir, config: { list: { enabled: true }, results: { segmentation: true } }, say });
  const api = orthancApi(line.orthanc.url);
  const work = async () => {
    const sent = await results.sendAll(drawnFilms(), api, line.orthanc);
    await results.waitForResults(sent, line, api);
    const { report, problems } = await results.makeReport(sent, line, api);
    if (problems.length > 0) throw new Explained(problems.join('\n'));
    await shootAll(line.service.url, studyOf(report));
  };
  await unlessEnded(line.ended, work());
  return 0;
}

/** The first study with a heat map. */
function studyOf({ studies }) {
  const found = studies.find(({ films }) => films.some(({ outputs }) => outputs.length > 0));
  if (found === undefined) throw new Explained('no film has a heat map');
  return found.studyInstanceUid;
}

async function shootAll(url, study) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  try {
    for (const scheme of /** @type {const} */ (['light', 'dark'])) {
      const context = await browser.newContext({ viewport: SIZE, colorScheme: scheme });
      const page = await context.newPage();
      await page.goto(`${url}/?work=all`);
      await page.locator('#grid-body [role=row]').first().waitFor({ timeout: WAIT_MS });
      await shoot(page, '#grid-body img', `reading-list${scheme === 'dark' ? '-dark' : ''}.png`);
      await page.goto(`${url}/study/${study}`);
      await page.locator('#copy-report').waitFor({ timeout: WAIT_MS });
      await shoot(page, '#detail-page img', `study${scheme === 'dark' ? '-dark' : ''}.png`);
      await context.close();
    }
  } finally {
    await browser.close();
  }
}

/** Once every picture in sight is there. Not waitForFunction: it evaluates text, which the page's policy forbids. */
async function shoot(page, images, name) {
  // `blank`: the service has no picture of that film, and the page shows so.
  const isThere = 'one.classList.contains("blank") || (one.complete && one.naturalWidth > 0)';
  const waiting = `[...document.querySelectorAll('${images}')].filter((one) => !(${isThere})).length`;
  for (const until = Date.now() + WAIT_MS; (await page.evaluate(waiting)) > 0;) {
    if (Date.now() > until) throw new Explained(`pictures of ${name} do not come`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const file = path.join(IMAGES, name);
  await page.screenshot({ path: file });
  say(`${path.relative(ROOT, file)} (${Math.round(fs.statSync(file).size / 1024)} KB)`);
}

await runMain(main);
// Connections to servers that have been ended would keep it.
process.exit();
