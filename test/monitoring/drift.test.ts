import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWith, type DriftReference, lastDays, referenceOf } from '../../src/monitoring/drift';
import { count, DriftStore, emptyDriftCounts, readDriftDays } from '../../src/monitoring/drift-store';
import { type FilmMeasures, MEASURE_NAMES } from '../../src/pipeline/measures';
import { fakeModel } from '../support/pipeline/fake-pipeline';

/** Normal deviates from a fixed linear congruential generator (Box and Muller). */
function deviates(seed: number): () => number {
  let state = seed;
  const uniform = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Films whose grey values lie around `mean`. */
function stream(films: number, seed: number, mean: number): FilmMeasures[] {
  const next = deviates(seed);
  return Array.from({ length: films }, () => ({
    meanGrey: mean + 0.06 * next(),
    greySpread: 0.23 + 0.03 * next(),
    lungFraction: 0.28 + 0.05 * next(),
  }));
}

function referenceFrom(films: FilmMeasures[]): DriftReference {
  const counts = emptyDriftCounts();
  for (const film of films) count(counts, film);
  return { films: films.length, measures: counts.measures };
}

const REFERENCE = referenceFrom(stream(1200, 1, 0.52));
const noon = (day: string) => () => new Date(`${day}T12:00:00Z`);

function storeWith(
  films: FilmMeasures[],
  dir = mkdtempSync(join(tmpdir(), 'hilum-drift-')),
  day = '2026-03-05',
): string {
  const store = new DriftStore(
    dir,
    (error) => {
      throw error;
    },
    noon(day),
  );
  for (const film of films) store.measured(film);
  return dir;
}

const levels = (dir: string) =>
  Object.fromEntries(
    compareWith(REFERENCE, readDriftDays(dir, '2026-03-01', '2026-03-31').counts).map(({ measure, level }) => [
      measure,
      level,
    ]),
  );

test('a stream like the reference raises no alarm', () => {
  expect(levels(storeWith(stream(400, 2, 0.52)))).toMatchObject({
    meanGrey: 'stable',
    greySpread: 'stable',
    lungFraction: 'stable',
  });
});

test('brightened films raise it, for what they changed and for nothing else', () => {
  expect(levels(storeWith(stream(400, 3, 0.62)))).toMatchObject({
    meanGrey: 'changed',
    greySpread: 'stable',
    lungFraction: 'stable',
  });
});

test('a handful of films is no alarm, whatever they look like by chance', () => {
  expect(levels(storeWith(stream(8, 4, 0.52))).meanGrey).toMatch(/^(stable|too few films)$/);
});

test('what was never measured has no index', () => {
  expect(levels(storeWith(stream(5, 5, 0.5))).probability).toBe('too few films');
});

test('several workers and days are added up, days outside are not, and each film is on disk at once', () => {
  const dir = storeWith(stream(3, 6, 0.5));
  storeWith(stream(4, 7, 0.5), dir);
  storeWith(stream(5, 8, 0.5), dir, '2026-03-06');
  storeWith(stream(6, 9, 0.5), dir, '2026-04-01');
  const { counts, days } = readDriftDays(dir, '2026-03-05', '2026-03-06');
  expect(counts.measures.meanGrey!.reduce((a, b) => a + b, 0)).toBe(12);
  expect(days.map(({ date }) => date)).toEqual(['2026-03-05', '2026-03-06']);
});

test('outcomes are counted with their reason, and the file holds counts only', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-drift-'));
  const store = new DriftStore(dir, () => {}, noon('2026-03-05'));
  store.film({ outcome: 'analysed', reason: null });
  store.film({ outcome: 'not-analysed', reason: 'lateral-view' });
  store.film({ outcome: 'not-analysed', reason: 'lateral-view' });
  new DriftStore(dir, () => {}, noon('2026-03-05')).film({ outcome: 'analysed', reason: null });
  new DriftStore(dir, () => {}, noon('2026-03-04')).film({ outcome: 'rejected', reason: 'unreadable' });
  const { counts, days } = readDriftDays(dir, '2026-03-04', '2026-03-05');
  expect(counts.outcomes).toEqual({ analysed: 2, 'not-analysed lateral-view': 2, 'rejected unreadable': 1 });
  expect(days).toEqual([
    { date: '2026-03-04', outcomes: { 'rejected unreadable': 1 } },
    { date: '2026-03-05', outcomes: { analysed: 2, 'not-analysed lateral-view': 2 } },
  ]);
  const [name] = readdirSync(join(dir, 'drift'));
  expect(Object.keys(JSON.parse(readFileSync(join(dir, 'drift', name!), 'utf8')) as object).sort()).toEqual([
    'measures',
    'outcomes',
    'schemaVersion',
  ]);
});

test('a clock set back over midnight loses no count', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-drift-'));
  const clock = ['2026-03-05', '2026-03-06', '2026-03-05', '2026-03-06'].map((day) => noon(day)());
  const store = new DriftStore(
    dir,
    () => {},
    () => clock.shift()!,
  );
  for (let i = 0; i < 4; i++) store.film({ outcome: 'analysed', reason: null });
  expect(readDriftDays(dir, '2026-03-05', '2026-03-06').days).toEqual(
    ['2026-03-05', '2026-03-06'].map((date) => ({ date, outcomes: { analysed: 2 } })),
  );
});

test('a file that is damaged is named and left out; no folder is no film', () => {
  const dir = storeWith(stream(3, 10, 0.5));
  writeFileSync(join(dir, 'drift', '2026-03-05-00000000.json'), '{');
  expect(readDriftDays(dir, '2026-03-05', '2026-03-05')).toMatchObject({
    days: [{ date: '2026-03-05' }],
    unread: ['2026-03-05-00000000.json'],
  });
  expect(readDriftDays(mkdtempSync(join(tmpdir(), 'hilum-drift-')), '2026-03-05', '2026-03-05').days).toEqual([]);
});

test('a folder that can not be written is told once, and holds up nothing', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-drift-'));
  writeFileSync(join(dir, 'drift'), 'a file where the folder should be');
  const told: unknown[] = [];
  const store = new DriftStore(dir, (error) => told.push(error));
  for (const film of stream(3, 11, 0.5)) store.measured(film);
  expect(told).toHaveLength(1);
});

test("the manifest's reference: none, a good one, one of other bins", () => {
  const { manifest } = fakeModel('classification', 0.5);
  expect(referenceOf(manifest)).toBeNull();
  expect(referenceOf({ ...manifest, reference: { ...REFERENCE } })).toMatchObject({ films: 1200 });
  expect(() => referenceOf({ ...manifest, reference: { films: 3, measures: { meanGrey: [1, 2] } } })).toThrow(
    expect.objectContaining({ code: 'MODEL_INVALID' }),
  );
});

test('docs/operations.md names each measure and no other', () => {
  const text = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
  const section = text.slice(text.indexOf('## Drift'));
  const named = [...section.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, names]) => names!.match(/\w+/g)!);
  expect(named.sort()).toEqual([...MEASURE_NAMES].sort());
});

test('days are UTC, today included', () => {
  expect(lastDays(7, new Date('2026-03-07T23:59:00Z'))).toEqual(['2026-03-01', '2026-03-07']);
});
