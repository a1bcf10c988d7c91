import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { deriveUid } from '../../src/dicom/uid';
import { unboundedReader } from '../../src/pipeline/film-reader';
import { filmRecord, studyRecord } from '../support/records/study-record';
import { until } from '../support/servers/servers';
import { holds, useListPages, violations } from '../support/web/browser';
import { ARTEFACTS, shoot } from '../support/web/chromium';
import { ListSite, studyOf } from '../support/web/list-site';

/** The study page in a real browser. What the database has to do with it is in list-pages.test.ts, on both. */
const WIDE = { width: 1440, height: 900 };

const pages = useListPages(
  async (site) => {
    const patient = { PatientID: 'P-1', PatientName: 'Dreamer^Dora' };
    await site.analysed({ seed: 1, rows: 1000, columns: 850 }, { probability: 0.9 }, { patient });
    await site.analysed({ seed: 2, rows: 700, columns: 850 }, { probability: 0.1 }, { patient });
    await site.analysed({ seed: 3 }, { probability: 0.7 }, { patient });
    await site.worklist.record(
      studyRecord('bad', {
        priority: null,
        films: [filmRecord('bad', { outcome: 'not-analysed', reason: 'undecodable', probability: null, outputs: [] })],
      }),
    );
  },
  { usual: { ...WIDE, browser: { permissions: ['clipboard-read', 'clipboard-write'] } } },
);
const { visit } = pages;

const SHOWN = `[...document.querySelectorAll('.stage img')].filter((image) => image.naturalWidth > 0).length`;

/** Film, heat map, report and earlier studies are there. */
async function whole(page: Page): Promise<void> {
  await holds(page, `${SHOWN} === 2`);
  await page.locator('#copy-report').waitFor();
  await page.locator('.prior').first().waitFor();
  await holds(page, `[...document.querySelectorAll('.prior img')].every((image) => image.naturalWidth > 0)`);
}

const boxOf = async (page: Page, selector: string) => (await page.locator(selector).first().boundingBox())!;
const stageWidth = async (page: Page) => (await boxOf(page, '.stage')).width;

test('at 1440 x 900 nothing has to be scrolled: film, result, report, model, verdict, earlier studies', async () => {
  const page = await visit(`/study/${studyOf(1)}`);
  await whole(page);
  await shoot(page, 'study-wide.png');
  for (const selector of ['.viewport', '.words .bar', '.report dl', '.made-by', '#verdict-form .buttons', '.prior'])
    for (const [i, one] of (await page.locator(selector).all()).entries()) {
      const { x, y, width, height } = (await one.boundingBox())!;
      const isIn = x >= 0 && y >= 0 && x + width <= WIDE.width && y + height <= WIDE.height;
      expect({ selector, i, isIn, bottom: y + height }).toMatchObject({ isIn: true });
    }
  expect(
    await page.evaluate('document.getElementById("main").scrollHeight - document.getElementById("main").clientHeight'),
  ).toBe(0);
  const film = await boxOf(page, '.viewport');
  expect(film.height).toBeGreaterThan(420);
  expect((await boxOf(page, '#detail-page .words')).x).toBeGreaterThan(film.x + film.width);
  expect(page.faults).toEqual([]);
}, 60_000);

test.each([
  ['light', WIDE, false],
  ['dark', WIDE, true],
  ['on a phone', { width: 390, height: 844 }, false],
  ['dark on a phone', { width: 390, height: 844 }, true],
] as const)(
  'readable by everybody, %s, with an earlier study beside it',
  async (name, size, dark) => {
    const page = await visit(`/study/${studyOf(1)}`, { ...size, dark });
    await whole(page);
    await page.locator('.prior').first().click();
    await holds(page, `${SHOWN} === 4`);
    expect(await violations(page)).toEqual([]);
    const isTooWide = 'document.getElementById("main").scrollWidth > document.getElementById("main").clientWidth';
    expect(await page.evaluate(isTooWide)).toBe(false);
    await shoot(page, `compared ${name}.png`);
    expect(page.faults).toEqual([]);
  },
  60_000,
);

test('zoom by wheel, keys and buttons; a zoomed film moves by keys and by hand; nothing else does', async () => {
  const page = await visit(`/study/${studyOf(1)}`);
  await whole(page);
  const fit = await stageWidth(page);
  const view = await boxOf(page, '.viewport');
  await page.keyboard.press('+');
  expect((await stageWidth(page)) / fit).toBeCloseTo(1.25, 2);
  await page.keyboard.press('-');
  expect(await stageWidth(page)).toBeCloseTo(fit, 0);
  await page.keyboard.press('1');
  expect(await stageWidth(page)).toBeCloseTo(
    await page.evaluate<number>('document.querySelector(".stage .film").naturalWidth'),
    0,
  );
  await page.keyboard.press('0');
  expect(await stageWidth(page)).toBeCloseTo(fit, 0);
  await page.getByRole('button', { name: /Zoom in/ }).click();
  expect((await stageWidth(page)) / fit).toBeCloseTo(1.25, 2);
  await page.getByRole('button', { name: /Fit/ }).click();
  // What is under the pointer stays there, once the film is wider than its window.
  const at = (share: number, start: number, length: number) => start + length * share;
  const point = { x: at(0.4, view.x, view.width), y: at(0.3, view.y, view.height) };
  const shares = (stage: typeof view) => [(point.x - stage.x) / stage.width, (point.y - stage.y) / stage.height];
  await page.mouse.move(point.x, point.y);
  for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -100);
  await holds(page, `document.querySelector('.stage').clientWidth > ${fit * 3.5}`);
  const before = shares(await boxOf(page, '.stage'));
  await page.mouse.wheel(0, -100);
  await holds(page, `document.querySelector('.stage').clientWidth > ${fit * 4.5}`);
  const zoomed = await boxOf(page, '.stage');
  shares(zoomed).forEach((share, i) => expect(share).toBeCloseTo(before[i]!, 2));
  await page.keyboard.press('ArrowRight');
  const moved = await boxOf(page, '.stage');
  expect(moved.x).toBeCloseTo(zoomed.x - 0.1 * view.width, 0);
  expect(moved.y).toBeCloseTo(zoomed.y, 0);
  await page.mouse.down();
  await page.mouse.move(point.x + 40, point.y + 25, { steps: 4 });
  await page.mouse.up();
  const dragged = await boxOf(page, '.stage');
  expect([dragged.x - moved.x, dragged.y - moved.y].map(Math.round)).toEqual([40, 25]);
  // Never out of the window; heat map and outlines go with the film.
  for (let i = 0; i < 80; i++) await page.keyboard.press('ArrowLeft');
  expect((await boxOf(page, '.stage')).x).toBeCloseTo(view.x, 0);
  expect(await boxOf(page, '.stage .heat')).toEqual(await boxOf(page, '.stage .film'));
  // Arrows on a slider are its own.
  await page.getByLabel('Heat map opacity').focus();
  const still = await boxOf(page, '.stage');
  await page.keyboard.press('ArrowRight');
  expect(await boxOf(page, '.stage')).toEqual(still);
  expect(page.faults).toEqual([]);
}, 60_000);

test('brightness and contrast by sliders and by the right button, and back', async () => {
  const page = await visit(`/study/${studyOf(1)}`);
  await whole(page);
  const filter = () =>
    page.evaluate<string>(
      'document.querySelector(".stage .film").style.filter + document.querySelector(".heat").style.filter',
    );
  expect(await filter()).toBe('');
  await page.getByRole('slider', { name: 'Brightness' }).fill('150');
  expect(await filter()).toBe('brightness(150%) contrast(100%)'.repeat(2));
  const view = await boxOf(page, '.viewport');
  await page.mouse.move(view.x + 200, view.y + 200);
  await page.mouse.down({ button: 'right' });
  await page.mouse.move(view.x + 260, view.y + 160, { steps: 3 });
  await page.mouse.up({ button: 'right' });
  expect(await filter()).toBe('brightness(170%) contrast(130%)'.repeat(2));
  expect(await page.getByRole('slider', { name: 'Contrast' }).inputValue()).toBe('130');
  await page.getByRole('button', { name: /Reset/ }).click();
  expect(await filter()).toBe('brightness(100%) contrast(100%)'.repeat(2));
  expect(page.faults).toEqual([]);
}, 60_000);

test('outlines are off until they are wanted, and the heat map under them has none', async () => {
  const page = await visit(`/study/${studyOf(1)}`);
  await whole(page);
  expect(await page.locator('.outlines g.shown').count()).toBe(0);
  for (const [label, group] of [
    ['Region of greatest activation', '.hot'],
    ['Lungs outline', '.lungs'],
  ] as const) {
    await page.getByLabel(label).check();
    expect(await page.locator(`.outlines ${group}`).isVisible()).toBe(true);
    await page.getByLabel(label).uncheck();
    expect(await page.locator(`.outlines ${group}`).isVisible()).toBe(false);
  }
  await page.getByLabel('Heat map opacity').fill('100');
  // The outline of a lung was light blue: beside the heat no pixel of the picture has a colour.
  const coloured = await page.evaluate<number>(`(() => {
    const image = document.querySelector('.heat');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    let blue = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 2] - data[i] > 40) blue++;
    return blue;
  })()`);
  expect(coloured).toBe(0);
}, 60_000);

test('verdicts by key: nothing is sent before Enter, Esc takes it back, a note may go with it', async () => {
  const page = await visit(`/study/${studyOf(3)}`);
  await whole(page);
  const given = async () =>
    (await pages.site.worklist.study(studyOf(3)))!.verdicts.map(({ verdict, note }) => [verdict, note]);
  await page.keyboard.press('a');
  await holds(page, `document.activeElement.id === 'note'`);
  expect(await page.locator('.chosen').innerText()).toContain('Agree');
  expect(await page.locator('#note').inputValue()).toBe('');
  await page.keyboard.press('Escape');
  expect(await page.locator('.chosen').innerText()).toBe('');
  await page.keyboard.press('u');
  await page.keyboard.type('add');
  expect(await given()).toEqual([]);
  await page.keyboard.press('Enter');
  await page.locator('.verdict-list').waitFor();
  expect(await given()).toEqual([['unusable', 'add']]);
  await page.evaluate('document.activeElement.blur()');
  await page.keyboard.press('d');
  await page.keyboard.press('Enter');
  await until('a second verdict', async () => (await given()).length === 2);
  expect((await given())[0]).toEqual(['disagree', '']);
  await page.evaluate('document.activeElement.blur()');
  await page.keyboard.press('?');
  expect(await page.locator('#help').innerText()).toMatch(/agree, disagree, unusable[\s\S]*help/);
  expect(page.faults).toEqual([]);
}, 60_000);

test('a verdict on a result that was replaced is refused; the new one is shown, and the note stays', async () => {
  const page = await visit(`/study/${studyOf(2)}`);
  await whole(page);
  await page.fill('#note', 'nothing there');
  const { worklist } = pages.site;
  const { record } = (await worklist.study(studyOf(2)))!;
  const completedAt = new Date(Date.parse(record!.completedAt) + 60_000).toISOString();
  const films = record!.films.map((film) => ({ ...film, remarks: ['a remark of the new result'] }));
  await worklist.record({ ...record!, key: deriveUid(['replaced']), completedAt, films });
  await page.click('.verdict-disagree');
  await page.getByText('the study has a new result, which is shown now').waitFor();
  expect(await page.locator('section.words').innerText()).toContain('a remark of the new result');
  expect(await page.locator('#note').inputValue()).toBe('nothing there');
  expect((await worklist.study(studyOf(2)))!.verdicts).toEqual([]);
  await page.click('.verdict-agree');
  await page.locator('.verdict-list').waitFor();
  expect((await worklist.study(studyOf(2)))!.verdicts).toMatchObject([{ verdict: 'agree', note: 'nothing there' }]);
  expect(await page.locator('#note').inputValue()).toBe('');
}, 60_000);

test('v opens the first viewer from the study', async () => {
  const page = await visit(`/study/${studyOf(1)}`);
  await whole(page);
  await page.context().route('https://viewer.example/**', (route) => route.fulfill({ body: 'viewer' }));
  const opened = page.context().waitForEvent('page');
  await page.keyboard.press('v');
  expect((await opened).url()).toBe(`https://viewer.example/viewer?StudyInstanceUIDs=${studyOf(1)}`);
}, 60_000);

test('an earlier study opens beside the film, zooms by itself or together, and closes', async () => {
  const page = await visit(`/study/${studyOf(1)}`);
  await whole(page);
  expect(await page.locator('.prior').count()).toBe(2);
  const prior = page.locator('.prior').filter({ hasText: '70.0 %' });
  expect(await prior.innerText()).toMatch(/2026-01-02\s+COVID-19 70\.0 %, at or above/);
  await prior.click();
  await holds(page, `${SHOWN} === 4`);
  const width = async (i: number) => (await page.locator('.stage').nth(i).boundingBox())!.width;
  const fit = [await width(0), await width(1)];
  await page.keyboard.press('+');
  expect([(await width(0)) / fit[0]!, (await width(1)) / fit[1]!].map((times) => times.toFixed(2))).toEqual([
    '1.25',
    '1.00',
  ]);
  await page.getByLabel('Zoom together').check();
  await page.locator('.compared .viewport').focus();
  await page.keyboard.press('+');
  expect([(await width(0)) / fit[0]!, (await width(1)) / fit[1]!].map((times) => times.toFixed(2))).toEqual([
    '1.25',
    '1.25',
  ]);
  await prior.click();
  expect(await page.locator('.viewport').count()).toBe(1);
  expect(page.faults).toEqual([]);
  const operator = await visit(`/study/${studyOf(1)}`, { roles: ['operator'] });
  await operator.getByText('What was done').waitFor();
  expect(await operator.locator('.priors').count()).toBe(0);
  expect(operator.faults).toEqual([]);
}, 60_000);

test('the report can be selected and copied, with what it is for and without the name of the patient', async () => {
  const page = await visit(`/study/${studyOf(1)}`);
  await whole(page);
  await page.locator('#copy-report').click();
  await holds(page, `document.getElementById('announcer').textContent === 'Report copied'`);
  const text = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(text).toMatch(/^Research use only - not for diagnosis\. Unverified\.\n/);
  expect(text).toContain('Probability of COVID-19 90.0 %, at or above the operating point (50.0 %).');
  expect(text).toContain('Accession A-1');
  expect(text).not.toContain('Dreamer');
  expect(await page.evaluate('getComputedStyle(document.querySelector(".report .summary")).userSelect')).not.toBe(
    'none',
  );
}, 60_000);

test('on paper it is one page: film, report, patient, model, date, notice, and no button', async () => {
  for (const dark of [false, true]) {
    const page = await visit(`/study/${studyOf(1)}`, { dark });
    await whole(page);
    await page.locator('.prior').first().click();
    await page.keyboard.press('+');
    for (const format of ['A4', 'Letter'] as const) {
      const path = join(ARTEFACTS, `study ${format}.pdf`);
      const pdf = (await page.pdf({ format, printBackground: true, path })).toString('latin1');
      expect(pdf.match(/\/Type\s*\/Page\b(?!s)/g)).toHaveLength(1);
    }
    await page.emulateMedia({ media: 'print' });
    const words = await page.evaluate<string>('document.body.innerText');
    for (const part of ['Dreamer, Dora', 'P-1', 'Probability of COVID-19', 'Research use only', 'Models: ', 'Printed '])
      expect(words).toContain(part);
    expect(await page.locator('button:visible, input:visible, textarea:visible').count()).toBe(0);
    expect(await page.locator('.film-pane > .films > .overlay .film').isVisible()).toBe(true);
    await shoot(page, `print${dark ? ' dark' : ''}.png`, { fullPage: true });
  }
}, 90_000);

test('a film that can not be decoded is a word, on the list and in the study, and no error', async () => {
  const { studyInstanceUid } = studyRecord('bad');
  const page = await visit('/');
  await page.locator(`[data-uid="${studyInstanceUid}"]`).click();
  await page.getByText('No picture: the film can not be decoded.').waitFor();
  await page.locator('#detail-page').getByText('Not analysed because the pixel').first().waitFor();
  await page.locator('.priors').getByText('None with a result.').waitFor();
  expect(await page.locator('#detail-page img').count()).toBe(0);
  expect(page.faults).toEqual([]);
}, 60_000);

test('opened from a list whose pictures are still to come, the film is asked for first, and they wait', async () => {
  let letGo: () => void = () => {};
  const hold = new Promise<void>((resolve) => (letGo = resolve));
  const slow = await ListSite.open({
    parts: {
      reader: { ...unboundedReader, picture: async (...film) => (await hold, unboundedReader.picture(...film)) },
    },
  });
  try {
    for (let seed = 1; seed <= 8; seed++) await slow.analysed({ seed }, { probability: 0.2 });
    const page = await visit('/', { at: slow });
    const asked: string[] = [];
    page.on('request', (request) => /films\//.test(request.url()) && asked.push(request.url()));
    await until('thumbnails', async () => Promise.resolve(asked.length >= 5));
    await page.locator(`[data-uid="${studyOf(8)}"]`).click();
    const films = () => asked.filter((url) => url.includes('size=1024'));
    // With six connections of the browser taken by thumbnails it could not even be sent.
    await until('the film', async () => Promise.resolve(films().length === 1));
    expect(films()[0]).toContain('/picture?size=1024');
    const before = asked.length;
    letGo();
    await holds(page, `${SHOWN} === 2`);
    expect(asked.slice(before).filter((url) => url.includes('size=96'))).toEqual([]);
    await page.keyboard.press('Escape');
    await holds(page, `[...document.querySelectorAll('.thumb')].every((image) => image.naturalWidth > 0)`);
    expect(page.faults).toEqual([]);
  } finally {
    letGo();
    await slow.close();
  }
}, 60_000);
