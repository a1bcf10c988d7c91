import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { chromium, type Browser, type Page } from 'playwright-core';
import { startViewer, type Viewer } from '../../scripts/lib/viewer.cjs';
import { dicomWebArchive } from '../../src/client/dicomweb';
import { syntheticDicom, syntheticUids } from '../../src/dicom/synthetic-film';
import { runStudy } from '../../src/pipeline/pipeline';
import { fakeLine, MemoryAnnouncer } from '../support/line';
import { Servers, until, type Orthanc } from '../support/servers';

/** Screenshots stay for whoever looks at a run; they are no part of the repository. */
const ARTEFACTS = resolve(__dirname, '../../artefacts');
const FILM = { seed: 21, view: 'PA', rows: 1000, columns: 850 } as const;

const servers = new Servers();
let orthanc: Orthanc;
let viewer: Viewer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  orthanc = await servers.orthanc();
  viewer = await startViewer({ dicomWebUrl: orthanc.dicomWebUrl });
  await fetch(`${orthanc.url}/instances`, { method: 'POST', body: syntheticDicom(FILM) });
  const archive = dicomWebArchive({ url: orthanc.dicomWebUrl });
  await runStudy(syntheticUids(FILM).studyInstanceUid, { redelivered: false }, fakeLine().line, { archive, announcer: new MemoryAnnouncer() });
  await archive.close();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--use-gl=swiftshader', '--enable-unsafe-swiftshader', '--disable-background-networking', '--disable-component-update', '--no-first-run'] });
  page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  // The tour that greets a new user would lie over everything.
  await page.addInitScript(`localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']))`);
  mkdirSync(ARTEFACTS, { recursive: true });
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await viewer?.stop();
  await servers.stop();
}, 60_000);

async function shoot(name: string): Promise<Buffer> {
  const picture = await page.screenshot();
  writeFileSync(join(ARTEFACTS, name), picture);
  return picture;
}

/** Pixels of the middle of the page, where the viewport is, that are clearly coloured: a grey film has none, the viewer's own blue is left out. */
async function warmPixels(picture: Buffer): Promise<number> {
  const image = await loadImage(picture);
  const pen = createCanvas(image.width, image.height).getContext('2d');
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(300, 60, image.width - 650, image.height - 120);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i]! - data[i + 2]! > 60) count++;
  return count;
}

/** Outlines in the drawing layer over the viewport. */
function outlines(): Promise<number> {
  return page.locator('svg.svg-layer polyline, svg.svg-layer path, svg.svg-layer polygon').count();
}

let width = 1400;

/** OHIF 3.12.10 now and then has what it shows only after it has painted, and shows it at the next repaint: any move of a user's causes one. */
async function repaint(): Promise<void> {
  await page.setViewportSize({ width: (width ^= 8), height: 900 });
  await page.waitForTimeout(2_000);
}

async function open(description: RegExp): Promise<void> {
  await page.goto(viewer.studyUrl(syntheticUids(FILM).studyInstanceUid));
  const row = page.locator('[data-cy^="study-browser-thumbnail"]').filter({ hasText: description }).first();
  await row.waitFor({ timeout: 120_000 });
  await row.dblclick();
}

test('OHIF shows the heat map in colour', async () => {
  await open(/heat map/i);
  await until('coloured pixels', async () => {
    await repaint();
    return (await warmPixels(await shoot('ohif-heat-map.png'))) > 1000;
  }, 90_000);
}, 240_000);

test('OHIF draws the region of the report on the film', async () => {
  await open(/report/i);
  await until('an outline on the film', async () => {
    await repaint();
    await shoot('ohif-report.png');
    return (await outlines()) > 0;
  }, 120_000);
}, 300_000);
