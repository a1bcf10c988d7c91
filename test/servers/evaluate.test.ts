import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FilmRecord } from '../../src/evaluation/journal';
import { page } from '../../src/evaluation/page';
import type { EvaluationReport } from '../../src/evaluation/report';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { writeThreshold } from '../../src/app/evaluate';
import { until } from '../support/servers/servers';
import { launchChromium } from '../support/web/chromium';

const ROOT = resolve(__dirname, '../..');
const REAL = join(process.env['HILUM_DATA_DIR'] ?? join(ROOT, '../shared/data'), 'cxr');
const dir = mkdtempSync(join(tmpdir(), 'hilum-evaluate-'));
const [films, out, labels, config] = ['films', 'out', 'labels.csv', 'hilum.yaml'].map((name) => join(dir, name)) as [
  string,
  string,
  string,
  string,
];
const CONFIG =
  '# of the site\narchive: { url: "http://127.0.0.1:9/" }\nbroker: { url: "amqp://127.0.0.1:9" } # none\n' +
  'classification: { threshold: 0.4 }\n';
const DRAWN = 4;

interface RealFilm {
  readonly path: string;
  readonly label: string;
  readonly patient: string;
  readonly source: string;
}

/** Every so many rows of the test split, so that all sources are there. */
function realFilms(most: number): RealFilm[] {
  if (!existsSync(join(REAL, 'manifest.csv'))) {
    console.warn(
      `SKIPPED: the real films in the test of hilum evaluate, there is no ${REAL} (HILUM_DATA_DIR); drawn films only`,
    );
    return [];
  }
  const [heading, ...rows] = readFileSync(join(REAL, 'manifest.csv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const cell = (row: string[], name: string) => row[heading!.indexOf(name)]!;
  // Cells with commas inside are quoted: those rows are left out here, hilum evaluate itself reads them.
  const test = rows.filter(
    (row) => row.length === heading!.length && cell(row, 'split') === 'test' && cell(row, 'finding') !== 'unknown',
  );
  const some = test.filter((_row, i) => i % Math.ceil(test.length / most) === 0);
  return some.map((row) => ({
    path: cell(row, 'path'),
    label: cell(row, 'finding') === 'covid' ? 'covid' : 'other',
    patient: `${cell(row, 'source')}/${cell(row, 'patient_id')}`,
    source: cell(row, 'source'),
  }));
}

let real: RealFilm[];

beforeAll(() => {
  mkdirSync(films);
  real = realFilms(24);
  const rows = real.map(({ path, label, patient, source }, i) => {
    symlinkSync(join(REAL, path), join(films, `${i}.jpg`));
    return `${i}.jpg;${label};${patient};${source}`;
  });
  for (let seed = 0; seed < DRAWN; seed++) {
    writeFileSync(
      join(films, `drawn-${seed}.dcm`),
      syntheticDicom({ seed, view: seed === 3 ? 'LL' : 'PA', rows: 500, columns: 420 }),
    );
    rows.push(`drawn-${seed}.dcm;${seed % 2 ? 'covid' : 'other'};;drawn`);
  }
  writeFileSync(
    labels,
    `\ufefffile;label;patient;source\r\n${rows.join('\r\n')}\r\nnot-there.png;other;;\r\nbad row\r\n`,
  );
  writeFileSync(config, CONFIG);
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const ARGUMENTS = ['evaluate', '--labels', labels, '--films', films, '--out', out, '--apply-threshold', config];

function start(...args: string[]): {
  child: ChildProcess;
  ended: Promise<{ status: number | null; out: string; err: string }>;
} {
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli.js'), ...args], { cwd: dir });
  let [said, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  return { child, ended: new Promise((done) => child.on('close', (status) => done({ status, out: said, err }))) };
}

const journal = () =>
  existsSync(out)
    ? readdirSync(out)
        .filter((name) => name.endsWith('.jsonl'))
        .map((name) => join(out, name))
    : [];
const lines = () => journal().flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1));

test('killed in the middle and started again: each film once, what was done is not done again, and the report says what it should', async () => {
  const first = start(...ARGUMENTS);
  await until('some films are done', () => lines().length > 3 || first.child.exitCode !== null, 120_000);
  first.child.kill('SIGKILL');
  await first.ended;
  const before = lines();
  expect(before.length).toBeLessThan(real.length + DRAWN + 1);
  appendFileSync(journal()[0]!, '{"file":"20.jpg","byt');

  const { status, out: said, err } = await start(...ARGUMENTS).ended;
  const after = lines();
  expect(after.slice(0, before.length)).toEqual(before);
  const records = after.slice(1).map((line) => JSON.parse(line) as FilmRecord);
  expect(records.map(({ file }) => file).sort()).toEqual(readdirSync(films).sort());
  // A named film is missing, and the threshold must not be applied to so few patients.
  expect(status).toBe(1);
  expect(err).toContain(`line ${real.length + DRAWN + 3}: 1 columns where the heading has 4`);
  expect(err).toContain('1 label without a film in the folder: not-there.png');
  expect(err).toMatch(/the threshold is not written into .*too few patients/);
  expect(readFileSync(config, 'utf8')).toBe(CONFIG);
  expect(said).toContain('"covid" taken for the finding');

  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as EvaluationReport;
  const analysed = records.filter(({ outcome }) => outcome === 'analysed');
  expect(report.counts).toMatchObject({
    labelled: real.length + DRAWN + 1,
    analysed: analysed.length,
    withoutHeader: analysed.filter(({ kind }) => kind === 'jpeg').length,
  });
  expect(report.excluded).toEqual(
    expect.arrayContaining([
      {
        reason: 'lateral-view',
        positive: expect.any(Number) as number,
        negative: expect.any(Number) as number,
        files: expect.arrayContaining(['drawn-3.dcm']) as string[],
      },
      { reason: 'no such file', positive: 0, negative: 1, files: ['not-there.png'] },
    ]),
  );
  expect(report.settings).toMatchObject({ threshold: 0.4, thresholdFrom: 'configuration' });
  expect(report.subgroups.find(({ name }) => name === 'source')!.rows.reduce((sum, { n }) => sum + n, 0)).toBe(
    analysed.length,
  );
  // Each run is in the trail before its first film.
  const trail = readFileSync(join(dir, 'state/audit/audit.log'), 'utf8').trim().split('\n');
  expect(trail).toHaveLength(2);
  for (const xml of trail)
    expect(xml).toMatch(new RegExp(`csd-code="110106".* UserID="command-line:.* UserID="${out}"`));
  if (real.length > 0) expect(report.auc.value).toBeGreaterThan(0.6);
}, 300_000);

test('it is the pipeline of hilum analyze', async () => {
  const { out: said } = await start('analyze', join(films, 'drawn-0.dcm'), '--out', join(dir, 'analysed'), '--json')
    .ended;
  const record = lines()
    .map((line) => JSON.parse(line) as FilmRecord)
    .find(({ file }) => file === 'drawn-0.dcm')!;
  const { outcome, probabilities, lungFraction } = record;
  expect(JSON.parse(said)).toMatchObject({ outcome, probability: probabilities['COVID-19'], lungFraction });
  expect(outcome).toBe('analysed');
}, 120_000);

test('protocol, comparison and table of films need no computing; the status says what is accepted', async () => {
  const [own, protocol, table] = ['own.csv', 'protocol.yaml', 'films.csv'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  const kept = readFileSync(labels, 'utf8')
    .split('\r\n')
    .filter((line) => !/^(not-there|bad row)/.test(line));
  writeFileSync(own, kept.join('\r\n'));
  const before = lines();
  const more = ['--protocol', protocol, '--compare', '0.2', '--csv', table];
  const run = (criteria: string) => {
    writeFileSync(protocol, `site: St. Example\nprevalence: 0.05\nthreshold: 0.3\ncriteria: { ${criteria} }\n`);
    return start('evaluate', '--labels', own, '--films', films, '--out', out, '--config', config, ...more).ended;
  };
  const accepted = await run('sensitivity: { atLeast: 0 }, notAnalysed: { atMost: 1 }');
  expect(accepted).toMatchObject({
    status: 0,
    out: expect.stringContaining('acceptance criteria: 2 of 2 met') as string,
  });
  expect(accepted.out).toContain(`compared with 0.2 on `);
  const refused = await run('patientsWith: { atLeast: 1000 }');
  expect(refused).toMatchObject({ status: 4, out: expect.stringContaining('not met: patientsWith') as string });
  expect(lines()).toEqual(before);
  expect(readFileSync(table, 'utf8').trim().split('\n')).toHaveLength(real.length + DRAWN + 1);
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as EvaluationReport;
  expect(report.comparison).toMatchObject({ kind: 'threshold', thresholds: { first: 0.4, second: 0.2 } });
  expect(report.acceptance!.isAccepted).toBe(false);
}, 120_000);

test('the page shows its plots and pictures and asks the network for nothing', async () => {
  const browser = await launchChromium();
  try {
    const opened = await browser.newPage({ colorScheme: 'dark' });
    const [requests, errors]: [string[], string[]] = [[], []];
    opened.on('request', (request) => requests.push(request.url()));
    opened.on('console', (message) => errors.push(message.text()));
    const url = pathToFileURL(join(out, 'report.html')).href;
    await opened.goto(url);
    for (const id of ['roc', 'precision-recall', 'calibration', 'histogram']) {
      const plot = opened.locator(`svg#${id}`);
      expect((await plot.boundingBox())!.width).toBeGreaterThan(200);
      if (id === 'histogram') expect(await plot.locator('rect').count()).toBeGreaterThan(0);
      else expect(await plot.locator('path.curve').getAttribute('d')).toMatch(/^M[\d.]+ [\d.]+L/);
      expect(await opened.getByRole('img', { name: (await plot.locator('title').textContent())! }).count()).toBe(1);
      expect(await plot.locator('xpath=..').locator('table').count()).toBe(1);
    }
    const widths = await opened.evaluate<number[]>('[...document.images].map((image) => image.naturalWidth)');
    expect(widths.length).toBeGreaterThan(0);
    expect(Math.min(...widths)).toBeGreaterThan(100);
    const ground = () => opened.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await ground()).toBe('rgb(16, 21, 27)');
    await opened.emulateMedia({ colorScheme: 'light' });
    expect(await ground()).toBe('rgb(255, 255, 255)');
    // A4 less its margins: paper can't be scrolled, so no column may stand outside.
    await opened.emulateMedia({ media: 'print' });
    await opened.setViewportSize({ width: 700, height: 1000 });
    expect(
      await opened.evaluate(
        'Math.max(...[...document.querySelectorAll("table, svg, img")]' +
          '.map((part) => Math.ceil(part.getBoundingClientRect().right)))',
      ),
    ).toBeLessThanOrEqual(700);
    expect(requests.filter((request) => request !== url && !request.startsWith('data:'))).toEqual([]);
    expect(errors).toEqual([]);
  } finally {
    await browser.close();
  }
}, 120_000);

test('printed by the browser it is A4, each page with its number, a long table with its heading on each', async () => {
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as EvaluationReport;
  const problems = Array.from({ length: 100 }, (_, i) => ({ line: i + 2, text: 'no label' }));
  const protocol = { sha256: 'x', site: 'St. Example', examiner: { name: 'A. Physicist', role: 'medical physicist' } };
  const [html, pdf] = [join(dir, 'print.html'), join(dir, 'print.pdf')];
  writeFileSync(html, page({ ...report, protocol, labels: { ...report.labels, problems } }, []));
  const browser = await launchChromium();
  try {
    const opened = await browser.newPage({ colorScheme: 'dark' });
    await opened.goto(pathToFileURL(html).href);
    await opened.pdf({ path: pdf, preferCSSPageSize: true });
  } finally {
    await browser.close();
  }
  const info = execFileSync('pdfinfo', [pdf], { encoding: 'utf8' });
  const pages = Number(/Pages:\s+(\d+)/.exec(info)![1]);
  expect(pages).toBeGreaterThan(3);
  expect(info).toMatch(/Page size:\s+59[45](\.\d+)? x 84[12](\.\d+)? pts \(A4\)/);
  const texts = execFileSync('pdftotext', ['-layout', pdf, '-'], { encoding: 'utf8' }).split('\f').slice(0, -1);
  expect(texts).toHaveLength(pages);
  texts.forEach((text, i) => {
    expect(text).toMatch(new RegExp(`St\\. Example, Hilum .* UTC\\s+${i + 1} / ${pages}\\s*$`));
  });
  const rows = texts.filter((text) => /^\s*\d+\s+no label$/m.test(text));
  expect(rows.length).toBeGreaterThan(1);
  for (const text of rows) expect(text).toMatch(/^\s*line\s+problem$/m);
  expect(rows.join('\n').match(/no label/g)).toHaveLength(100);
  // The block for signatures is not torn apart.
  const signed = texts.filter((text) => /Decision and signatures|place and date|conditions and remarks/.test(text));
  expect(signed).toHaveLength(1);
  expect(signed[0]).toContain('A. Physicist');
}, 120_000);

test('compared with another configuration of other models: each film is analysed by those alone', async () => {
  const other = join(dir, 'other.yaml');
  writeFileSync(other, `${CONFIG.replace('0.4', '0.6')}models: { gate: off }\n`);
  const before = journal();
  const own = join(dir, 'two.csv');
  writeFileSync(own, 'file,label\ndrawn-0.dcm,0\ndrawn-1.dcm,1\n');
  const { status } = await start(
    ...['evaluate', '--labels', own, '--films', films, '--out', out, '--config', config, '--compare', other],
  ).ended;
  expect(status).toBe(0);
  const added = journal().filter((path) => !before.includes(path));
  expect(added.map((path) => readFileSync(path, 'utf8').trim().split('\n').length)).toEqual([3]);
  const { comparison } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as EvaluationReport;
  expect(comparison).toMatchObject({ kind: 'configuration', films: 2, thresholds: { first: 0.4, second: 0.6 } });
  expect(comparison!.models.map(({ task }) => task)).not.toContain('gate');
}, 120_000);

test('what can not be used is said in a sentence', async () => {
  expect(await start('evaluate', '--labels', labels, '--films', films).ended).toMatchObject({
    status: 2,
    err: expect.stringContaining('--out DIR is missing') as string,
  });
  expect(await start(...ARGUMENTS, '--sensitivity', '95').ended).toMatchObject({
    status: 2,
    err: expect.stringContaining('--sensitivity is a share') as string,
  });
  const unwritable = await start('evaluate', '--labels', labels, '--films', films, '--out', labels).ended;
  expect(unwritable).toMatchObject({ status: 3, err: expect.stringMatching(/OUTPUT_FAILED: .*ENOTDIR/) as string });
  expect(unwritable.err).not.toContain('    at ');
  expect(await start('evaluate', '--labels', labels, '--films', films, '--out', '/proc/x').ended).toMatchObject({
    status: 3,
    err: expect.stringContaining("the folder /proc/x can't be written to") as string,
  });
  const nowhere = join(dir, 'nowhere.csv');
  expect(await start('evaluate', '--labels', nowhere, '--films', films, '--out', out).ended).toMatchObject({
    status: 1,
    err: `hilum: LABELS_INVALID: the labels file ${nowhere} can't be read: there is no such file\n`,
  });
  writeFileSync(join(dir, 'three.csv'), 'file,label\na,x\nb,y\nc,z\n');
  expect(
    await start('evaluate', '--labels', join(dir, 'three.csv'), '--films', films, '--out', out).ended,
  ).toMatchObject({ status: 1, err: expect.stringContaining('LABELS_INVALID') as string });
}, 60_000);

test('a threshold is in the trail before it is written, and is not written where it can not be', async () => {
  const own = join(dir, 'own.yaml');
  const audit = join(dir, 'own-audit');
  writeFileSync(own, `${CONFIG}audit: { dir: ${audit} }\n`);
  await writeThreshold(own, { finding: 'COVID-19', isFirst: true }, 0.25);
  expect(readFileSync(own, 'utf8')).toContain('threshold: 0.25');
  const [xml] = readFileSync(join(audit, 'audit.log'), 'utf8').trim().split('\n');
  expect(xml).toMatch(/csd-code="110132".* UserID="command-line:/);
  const before = readFileSync(own, 'utf8');
  rmSync(audit, { recursive: true });
  writeFileSync(audit, '');
  await expect(writeThreshold(own, { finding: 'COVID-19', isFirst: true }, 0.3)).rejects.toMatchObject({
    code: 'AUDIT_FAILED',
  });
  expect(readFileSync(own, 'utf8')).toBe(before);
});
