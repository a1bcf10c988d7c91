import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArchive } from '../../src/app/archive';
import { openList } from '../../src/app/list';
import { reportShadow } from '../../src/app/shadow-report';
import { readConfig } from '../../src/config/config';
import { shadowPage } from '../../src/evaluation/shadow-page';
import { type ShadowReport, summarise } from '../../src/evaluation/shadow-summary';
import { LANGUAGE_NAMES } from '../../src/language/languages';
import { wordsIn } from '../../src/language/words';
import type { ShadowRecord } from '../../src/pipeline/shadow';
import { callCount, kappa } from '../../src/statistics/agreement';
import { recordingLog } from '../support/records/logs';
import { studyRecord } from '../support/records/study-record';

const dir = mkdtempSync(join(tmpdir(), 'hilum-shadow-report-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Film `n` of a day, with its probability; null: a lateral. */
function record(n: number, day: number, probability: number | null, operatingPoint = 0.5): ShadowRecord {
  const analysed = probability !== null;
  return {
    at: `2026-03-0${day}T10:00:0${n % 10}.000Z`,
    studyInstanceUid: `1.2.${Math.floor(n / 2)}`,
    sopInstanceUid: `1.2.${Math.floor(n / 2)}.1.${n}`,
    report: `2.25.${n}${day}`,
    outcome: analysed ? 'analysed' : 'not-analysed',
    reason: analysed ? null : 'lateral-view',
    view: analysed ? 'frontal' : 'lateral',
    probability,
    lungFraction: analysed ? 0.3 : null,
    findings: analysed ? [{ label: 'COVID-19', probability, operatingPoint, mode: 'live' }] : [],
    urgent: analysed && probability >= operatingPoint,
  } as unknown as ShadowRecord;
}

const RECORDS = [
  ...[0.1, 0.2, 0.7, 0.9, null, 0.4].map((probability, n) => record(n, 1, probability)),
  ...[0.55, 0.05].map((probability, n) => record(6 + n, 2, probability)),
];

const summaryOf = (records: readonly ShadowRecord[], other: readonly ShadowRecord[] | null = null): ShadowReport =>
  summarise({
    records,
    softwareVersion: '0.2.0',
    protocol: null,
    other: other && { name: 'other.yaml', films: other },
    drift: null,
    now: new Date(0),
  });

test('the summary of shadow mode: films, outcomes, flagged, days', () => {
  const report = summaryOf(RECORDS);
  expect(report).toMatchObject({ films: 8, studies: 4, urgent: { hits: 3, n: 7 }, agreement: null, drift: null });
  expect(report.outcomes.map(({ outcome, reason, films }) => [outcome, reason, films.hits])).toEqual([
    ['analysed', null, 7],
    ['not-analysed', 'lateral-view', 1],
  ]);
  expect(report.findings).toMatchObject([{ label: 'COVID-19', operatingPoint: 0.5, flagged: { hits: 3, n: 7 } }]);
  expect(report.findings[0]!.histogram.reduce((sum, { films }) => sum + films, 0)).toBe(7);
  expect(report.days).toEqual([
    { day: '2026-03-01', films: 6, analysed: 5, urgent: 2 },
    { day: '2026-03-02', films: 2, analysed: 2, urgent: 1 },
  ]);
  expect([report.from, report.to]).toEqual(['2026-03-01T10:00:00.000Z', '2026-03-02T10:00:07.000Z']);
});

test('a film that was analysed again counts once, by the latest', () => {
  const report = summaryOf([...RECORDS, record(0, 3, 0.95)]);
  expect(report).toMatchObject({ films: 8, urgent: { hits: 4, n: 7 } });
  expect(report.days.map(({ films }) => films)).toEqual([5, 2, 1]);
});

test('the operating point is that of the latest film, also where that was analysed again', () => {
  const operatingPoints = (records: readonly ShadowRecord[]) =>
    summaryOf(records).findings.map(({ operatingPoint }) => operatingPoint);
  const again = record(0, 3, 0.6, 0.7);
  expect(operatingPoints([...RECORDS, again])).toEqual([0.7]);
  expect(operatingPoints([again, ...RECORDS])).toEqual([0.7]);
});

test('compared with another configuration on the same films: agreement beyond chance', () => {
  const other = RECORDS.slice(0, 6).map((film, n) => record(n, 1, film.probability, 0.15));
  const [found] = summaryOf(RECORDS, other).agreement!.findings;
  // At 0.5: 0.7, 0.9. At 0.15: 0.2, 0.7, 0.9, 0.4.
  expect(found).toMatchObject({
    films: 5,
    calls: { both: 2, first: 0, second: 2, neither: 1 },
    same: { hits: 3, n: 5 },
  });
  // Observed 0.6, by chance 0.4 * 0.8 + 0.6 * 0.2 = 0.44.
  expect(found!.kappa).toBeCloseTo((0.6 - 0.44) / 0.56, 10);
  expect(summaryOf(RECORDS, []).agreement).toEqual({ name: 'other.yaml', findings: [] });
  expect(kappa(callCount([[true, true]]))).toBeNull();
  expect(kappa(callCount([]))).toBeNull();
});

test.each(LANGUAGE_NAMES)('the page in %s', (language) => {
  const words = wordsIn(language);
  const drift = [{ measure: 'meanGrey', films: 8, index: 0.02, chance: Infinity, level: 'stable' }];
  const report = { ...summaryOf(RECORDS, RECORDS), drift };
  const text = shadowPage(report, words);
  const flat = text.replace(/\s+/g, ' ').replaceAll('&#39;', "'");
  expect(flat).not.toMatch(/[{}]\w+}|undefined|NaN|Infinity/);
  for (const key of [
    'shadow.heading',
    'shadow.noTruth',
    'shadow.days',
    'shadow.drift',
    'evaluation.signature.choices',
  ] as const)
    expect(flat).toContain(words.messages[key]);
  expect(flat).toContain('<svg id="histogram-1"');
  expect(flat).toContain('lateral-view');
});

/** A site with outcomes of shadow mode on disk. */
function site(name: string, records: readonly ShadowRecord[], more: object = {}): string {
  const folder = join(dir, name);
  mkdirSync(join(folder, 'state'), { recursive: true });
  if (records.length > 0)
    writeFileSync(join(folder, 'state/shadow.jsonl'), records.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const path = join(folder, 'hilum.yaml');
  const settings = {
    archive: { url: 'http://127.0.0.1:9/dicom-web' },
    broker: { url: 'amqp://127.0.0.1:9' },
    results: { mode: 'shadow' },
    state: { dir: 'state' },
    ...more,
  };
  writeFileSync(path, JSON.stringify(settings));
  return path;
}

test('the files are read while a service writes them, and nothing is changed in them', async () => {
  const config = site('one', []);
  const state = join(dir, 'one/state');
  writeFileSync(
    join(state, 'shadow-000001.jsonl'),
    RECORDS.slice(0, 3)
      .map((one) => `${JSON.stringify(one)}\n`)
      .join(''),
  );
  writeFileSync(
    join(state, 'shadow.jsonl'),
    RECORDS.slice(3)
      .map((one) => `${JSON.stringify(one)}\n`)
      .join(''),
  );
  appendFileSync(join(state, 'shadow.jsonl'), '{"at":"2026');
  const before = readFileSync(join(state, 'shadow.jsonl'), 'utf8');
  const other = site('two', RECORDS.slice(0, 4));
  const out = join(dir, 'report');
  const { report, html } = await reportShadow({
    config,
    out,
    against: other,
    since: '2026-03-01',
    until: '2026-03-01',
  });
  expect(report).toMatchObject({ films: 6, agreement: { findings: [{ films: 4, same: { hits: 4 } }] } });
  expect(readFileSync(join(state, 'shadow.jsonl'), 'utf8')).toBe(before);
  expect(JSON.parse(readFileSync(join(out, 'shadow.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(report)));
  expect((statSync(html).mode & 0o777).toString(8)).toBe('600');
  expect(readdirSync(out).sort()).toEqual(['shadow.html', 'shadow.json']);
  expect(existsSync(join(state, 'audit/audit.log'))).toBe(true);
});

test("against the live service's list", async () => {
  const live = site('live', [], { results: { mode: 'live' }, list: { enabled: true } });
  const config = readConfig(live);
  const archive = openArchive(config);
  const list = openList(config, archive, recordingLog())!;
  await list.database.ready();
  const stored = studyRecord('c');
  await list.worklist.record(stored);
  await list.database.close();
  await archive.close();
  const [film] = stored.films;
  const own = {
    ...record(0, 1, 0.01),
    studyInstanceUid: stored.studyInstanceUid,
    sopInstanceUid: film!.sopInstanceUid,
    findings: film!.findings.map(({ label, mode }) => ({ label, probability: 0.01, operatingPoint: 0.5, mode })),
  };
  const { report } = await reportShadow({ config: site('three', [own]), out: join(dir, 'report-3'), against: live });
  expect(report.agreement!.findings.map(({ films }) => films)).toEqual(film!.findings.map(() => 1));
}, 30_000);

test('what can not be reported is said in a sentence', async () => {
  const out = join(dir, 'none');
  const plain = site('plain', RECORDS);
  const reported = (options: object) => reportShadow({ config: plain, out, ...options });
  await expect(reported({ since: '2027-01-01' })).rejects.toThrow(/has no outcome of shadow mode from these days/);
  await expect(reported({ config: site('empty', []) })).rejects.toThrow(/has no outcome/);
  await expect(reported({ against: site('off', [], { results: { mode: 'live' } }) })).rejects.toThrow(
    /neither results.mode shadow nor a list/,
  );
  await expect(reported({ protocol: join(dir, 'nowhere.yaml') })).rejects.toMatchObject({ code: 'PROTOCOL_INVALID' });
  await expect(reported({ out: '/proc/x' })).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
});
