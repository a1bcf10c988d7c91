import { createCanvas, loadImage } from '@napi-rs/canvas';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startViewer, type Viewer } from '../../scripts/lib/viewer.cjs';
import { dicomWebArchive } from '../../src/archive/dicomweb';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import type { Pipeline } from '../../src/pipeline/pipeline';
import { fakePipeline, MemoryAnnouncer, runStudyHere } from '../support/pipeline/fake-pipeline';
import { type Orthanc, Servers, until } from '../support/servers/servers';
import { ARTEFACTS, launchChromium } from '../support/web/chromium';

const FILM = { seed: 21, view: 'PA', rows: 1000, columns: 850 } as const;
/** In a study of its own, with every object that can be switched on. */
const FULL = { seed: 22, view: 'PA', rows: 1000, columns: 850 } as const;

const servers = new Servers();
let orthanc: Orthanc;
/**
 * Without WebGL colour films show, with software WebGL they stay black; regions of reports are drawn with WebGL only.
 */
let viewers: { cpu: Viewer; webgl: Viewer };
let browser: Browser | undefined;
let page: Page;

beforeAll(async () => {
  orthanc = await servers.orthanc();
  viewers = {
    cpu: await startViewer({ dicomWebUrl: orthanc.dicomWebUrl, cpu: true }),
    webgl: await startViewer({ dicomWebUrl: orthanc.dicomWebUrl }),
  };
  const archive = dicomWebArchive({ url: orthanc.dicomWebUrl });
  const { pipeline } = fakePipeline();
  const full: Pipeline = {
    ...pipeline,
    identity: () => ({
      ...pipeline.identity(),
      objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
    }),
  };
  for (const [film, by] of [
    [FILM, pipeline],
    [FULL, full],
  ] as const) {
    await fetch(`${orthanc.url}/instances`, { method: 'POST', body: syntheticDicom(film) });
    await runStudyHere(syntheticUids(film).studyInstanceUid, { redelivered: false }, by, {
      archive,
      announcer: new MemoryAnnouncer(),
    });
  }
  await archive.close();
  browser = await launchChromium('--use-gl=swiftshader', '--enable-unsafe-swiftshader');
  page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  // The tour that greets a new user would lie over everything.
  await page.addInitScript(`localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']))`);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await viewers?.cpu.stop();
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await viewers?.webgl.stop();
  await servers.stop();
}, 60_000);

async function shoot(name: string): Promise<Buffer> {
  const picture = await page.screenshot();
  writeFileSync(join(ARTEFACTS, name), picture);
  return picture;
}

const VIEWPORT = { x: 300, y: 160, width: 1050, height: 700 };

type Condition = (red: number, green: number, blue: number) => boolean;

/** Pixels inside the viewport that fulfil a condition on red, green and blue. */
async function pixels(picture: Buffer, fits: Condition): Promise<number> {
  return (await places(picture, fits)).length;
}

async function places(picture: Buffer, fits: Condition): Promise<{ x: number; y: number }[]> {
  const image = await loadImage(picture);
  const pen = createCanvas(image.width, image.height).getContext('2d');
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(VIEWPORT.x, VIEWPORT.y, VIEWPORT.width, VIEWPORT.height);
  const found = [];
  for (let i = 0; i < data.length; i += 4)
    if (fits(data[i]!, data[i + 1]!, data[i + 2]!))
      found.push({ x: (i / 4) % VIEWPORT.width, y: Math.floor(i / 4 / VIEWPORT.width) });
  return found;
}

/**
 * Size of the box around these pixels, and the share of it that they fill. Columns and rows of less than 100 of them
 * are words on the screen.
 */
async function box(picture: Buffer, fits: Condition): Promise<{ width: number; height: number; filled: number }> {
  const found = await places(picture, fits);
  const span = (values: number[]) => {
    const counts = new Map<number, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const many = [...counts].filter(([, count]) => count >= 100).map(([value]) => value);
    return Math.max(...many) - Math.min(...many) + 1;
  };
  const [width, height] = [span(found.map(({ x }) => x)), span(found.map(({ y }) => y))];
  return { width, height, filled: found.length / (width * height) };
}

/** A grey film has no warm colour; the viewer's own blue is none either. */
const isWarm = (red: number, _green: number, blue: number) => red - blue > 60;
/** OHIF draws overlay planes in light red, whichever group. */
const isOverlay = (red: number, green: number, blue: number) => red > 230 && green > 100 && Math.abs(green - blue) < 15;
/** The light blue that the segmentation recommends, over whatever grey. */
const isLung = (red: number, _green: number, blue: number) => blue > 120 && blue - red > 40;
const isFilm = (red: number, green: number, blue: number) =>
  red > 60 && Math.abs(red - blue) < 12 && Math.abs(red - green) < 12;
/** OHIF draws the region of the report that is active in pure green. */
const isRegion = (red: number, green: number, blue: number) => green > 150 && red < 110 && blue < 110;

/**
 * OHIF 3.12.10 on software WebGL now and then loads the regions of a report after it has painted the film and shows
 * them at the next repaint, or starts with a camera that sees nothing until the view is reset. A person moves the mouse
 * or resets the view; the test does the same by script.
 */
async function repaint(): Promise<void> {
  await page.evaluate(
    `for (const viewport of window.cornerstone?.getRenderingEngines()[0]?.getViewports() ?? []) {
      viewport.resetCamera?.();
      viewport.render();
    }`,
  );
  await page.waitForTimeout(2_000);
}

async function open(viewer: Viewer, description: RegExp, film: typeof FILM | typeof FULL = FILM): Promise<void> {
  await page.goto(viewer.studyUrl(syntheticUids(film).studyInstanceUid));
  const row = page.locator('[data-cy^="study-browser-thumbnail"]').filter({ hasText: description }).first();
  await row.waitFor({ timeout: 120_000 });
  await row.dblclick();
}

test('OHIF shows the heat map in colour, and over it the outlines, which are overlays', async () => {
  await page.goto(viewers.cpu.studyUrl(syntheticUids(FILM).studyInstanceUid));
  // OHIF fails on a series that is opened before the first one is painted.
  await until('the film', async () => (await pixels(await shoot('ohif-heat-map.png'), isFilm)) > 50_000, 120_000);
  await page
    .locator('[data-cy^="study-browser-thumbnail"]')
    .filter({ hasText: /heat map/i })
    .first()
    .dblclick();
  const isHeat: Condition = (...colour) => isWarm(...colour) && !isOverlay(...colour);
  await until(
    'heat and outlines',
    async () => {
      const picture = await shoot('ohif-heat-map.png');
      return (await pixels(picture, isHeat)) > 1000 && (await pixels(picture, isOverlay)) > 1000;
    },
    90_000,
  );
}, 240_000);

test('OHIF draws the region of the report on the film', async () => {
  await open(viewers.webgl, /report/i);
  await until(
    'an outline on the film',
    async () => {
      await repaint();
      const picture = await shoot('ohif-report.png');
      return (await pixels(picture, isFilm)) > 50_000 && (await pixels(picture, isRegion)) > 50;
    },
    120_000,
  );
}, 300_000);

test('OHIF draws the segmentation of the lungs on the film, where they are', async () => {
  await open(viewers.webgl, /lungs/i, FULL);
  await until(
    'lungs in colour on a grey film',
    async () => {
      await repaint();
      const picture = await shoot('ohif-segmentation.png');
      return (await pixels(picture, isFilm)) > 20_000 && (await pixels(picture, isLung)) > 20_000;
    },
    120_000,
  );
  // The lungs of the fake pipeline are two rectangles: 0.12 to 0.42 and 0.58 to 0.88 of the columns, 0.2 to 0.8 of the
  // rows.
  const { width, height, filled } = await box(await shoot('ohif-segmentation.png'), isLung);
  expect(width / height).toBeCloseTo((0.76 * FULL.columns) / (0.6 * FULL.rows), 1);
  expect(filled).toBeCloseTo(0.6 / 0.76, 1);
}, 300_000);
