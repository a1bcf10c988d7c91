import { appendFileSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seriesWithShadow } from '../../src/app/catch-up';
import { HilumError } from '../../src/base/errors';
import { CatchUp, type CountedSeries } from '../../src/catch-up/catch-up';
import { text } from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import { deriveUid } from '../../src/dicom/uid';
import { ShadowFileStore } from '../../src/monitoring/shadow-store';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import type { ShadowRecord } from '../../src/pipeline/shadow';
import { rejectionNote } from '../support/films/rejection-note';
import {
  fakePipeline,
  MemoryAnnouncer,
  MemoryArchive,
  runStudyHere,
  shadowStudyHere,
} from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';

const SMALL = { rows: 96, columns: 80, seed: 1 } as const;
const FILMS = [
  { ...SMALL, view: 'PA' },
  { ...SMALL, view: 'LL' },
] as const;
const DRAWN = FILMS.map((film) => syntheticDicom(film));
const STUDY = syntheticUids(FILMS[0]).studyInstanceUid;

const opened: ShadowFileStore[] = [];
async function open(...args: Parameters<typeof ShadowFileStore.open>): Promise<ShadowFileStore> {
  const store = await ShadowFileStore.open(...args);
  opened.push(store);
  return store;
}
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const folder = () => mkdtempSync(join(tmpdir(), 'hilum-shadow-'));
const records = (dir: string) =>
  readdirSync(dir)
    .sort()
    .flatMap((name) =>
      readFileSync(join(dir, name), 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as ShadowRecord),
    );

function archiveWithFilms(): MemoryArchive {
  const archive = new MemoryArchive();
  DRAWN.forEach((film) => archive.put(film));
  return archive;
}

test('each film is noted once, nothing is stored, and the next run finds nothing new', async () => {
  const [archive, dir, { pipeline }] = [archiveWithFilms(), folder(), fakePipeline({ probability: 0.7 })];
  const store = await open(dir);
  const result = await shadowStudyHere(STUDY, {}, pipeline, archive, store);
  expect(result).toMatchObject({
    studyInstanceUid: STUDY,
    priority: 'urgent',
    films: [
      { outcome: 'analysed', outputs: [] },
      { outcome: 'not-analysed', outputs: [] },
    ],
  });
  expect(
    records(dir).map(({ sopInstanceUid, outcome, reason, probability, urgent }) => [
      sopInstanceUid,
      outcome,
      reason,
      probability?.toFixed(1),
      urgent,
    ]),
  ).toEqual([
    [syntheticUids(FILMS[0]).sopInstanceUid, 'analysed', null, '0.7', true],
    [syntheticUids(FILMS[1]).sopInstanceUid, 'not-analysed', 'lateral-view', undefined, false],
  ]);
  expect(readFileSync(join(dir, 'shadow.jsonl'), 'utf8')).not.toMatch(/SYNTHETIC|Synthetic/);
  expect(await shadowStudyHere(STUDY, {}, pipeline, archive, store)).toBeNull();
  await store.close();
  const reopened = await open(dir);
  expect(await shadowStudyHere(STUDY, {}, pipeline, archive, reopened)).toBeNull();
  expect(archive.calls).toMatchObject({ retrieve: 2, store: 0 });
  await reopened.close();
});

test('the same films are analysed in earnest once the mode is live', async () => {
  const [archive, { pipeline }, announcer] = [archiveWithFilms(), fakePipeline(), new MemoryAnnouncer()];
  const dir = folder();
  await shadowStudyHere(STUDY, {}, pipeline, archive, await open(dir));
  const [{ report }] = records(dir) as [ShadowRecord];
  await runStudyHere(STUDY, { redelivered: false }, pipeline, { archive, announcer });
  expect(archive.objects.has(report)).toBe(true);
  expect(announcer.events).toHaveLength(1);
});

test('beside a live service, with the same models or others, each film is noted all the same', async () => {
  const [archive, { pipeline }, announcer] = [archiveWithFilms(), fakePipeline(), new MemoryAnnouncer()];
  await runStudyHere(STUDY, { redelivered: false }, pipeline, { archive, announcer });
  const [dir, stored] = [folder(), archive.calls.store];
  const store = await open(dir);
  const series = await seriesWithShadow(STUDY, { findSeries: async () => seriesOf(archive) }, store);
  expect(series.filter(({ modality }) => modality === 'SR').map(({ instances }) => instances)).toEqual([0]);
  await shadowStudyHere(STUDY, {}, pipeline, archive, store);
  expect(records(dir)[0]).toMatchObject({
    findings: [{ label: 'COVID-19', probability: expect.any(Number) as number, operatingPoint: 0.5, mode: 'live' }],
  });
  expect(records(dir)).toHaveLength(2);
  expect(archive.calls.store).toBe(stored);
});

/** Each object of the archive as a series of its own, as a query shows it. */
function seriesOf(archive: MemoryArchive): CountedSeries[] {
  return [...archive.objects.values()].map(({ bytes }) => {
    const { attributes } = readPart10(bytes);
    return {
      modality: text(attributes, 'Modality') ?? '',
      description: text(attributes, 'SeriesDescription') ?? '',
      instances: 1,
    };
  });
}

test('an archive that fails between two films loses neither: the next try does the rest', async () => {
  const [archive, dir, { pipeline }] = [archiveWithFilms(), folder(), fakePipeline()];
  const store = await open(dir);
  archive.before = (call) => {
    if (call === 'retrieve' && archive.calls.retrieve === 2)
      throw new HilumError('ARCHIVE_TIMEOUT', 'transient', 'late');
  };
  await expect(shadowStudyHere(STUDY, {}, pipeline, archive, store)).rejects.toMatchObject({ code: 'ARCHIVE_TIMEOUT' });
  expect(records(dir)).toHaveLength(1);
  expect(await shadowStudyHere(STUDY, {}, pipeline, archive, store)).toMatchObject({ films: [{}] });
  expect(records(dir)).toHaveLength(2);
});

test('a line that a kill cut off is dropped, and the next one stands by itself', async () => {
  const [archive, dir, { pipeline }] = [archiveWithFilms(), folder(), fakePipeline()];
  const store = await open(dir);
  await shadowStudyHere(STUDY, {}, pipeline, archive, store);
  await store.close();
  const whole = readFileSync(join(dir, 'shadow.jsonl'), 'utf8');
  appendFileSync(join(dir, 'shadow.jsonl'), '{"at":"2026-01-');
  const again = await open(dir);
  expect(readFileSync(join(dir, 'shadow.jsonl'), 'utf8')).toBe(whole);
  expect(again.filmsOf(STUDY)).toBe(2);
});

const record = (film: number, report = film): ShadowRecord => ({
  at: '',
  studyInstanceUid: deriveUid(['study', film % 3]),
  sopInstanceUid: deriveUid(['film', film]),
  report: deriveUid(['report', report]),
  outcome: 'analysed',
  reason: null,
  view: 'frontal',
  probability: 0.5,
  lungFraction: 0.3,
  findings: [],
  urgent: true,
});

test('where a disk is full just when a new file is begun, the next film begins it', async () => {
  const dir = folder();
  const limits = { fileBytes: 1, files: 9 };
  const store = await open(dir, limits);
  await store.add(record(0));
  const full = jest.spyOn(promises, 'open').mockRejectedValueOnce(new Error('ENOSPC'));
  await expect(store.add(record(1))).rejects.toThrow('ENOSPC');
  full.mockRestore();
  await store.add(record(1));
  await store.add(record(2));
  const kept = [0, 1, 2].map((film) => record(film).report);
  expect(records(dir).map(({ report }) => report)).toEqual(kept);
  const reopened = await open(dir, limits);
  expect(kept.every((report) => reopened.has(report))).toBe(true);
});

test('the files are bounded; what the oldest held is forgotten, also after a restart', async () => {
  const dir = folder();
  const limits = { fileBytes: 1_000, files: 3 };
  const store = await open(dir, limits);
  for (let film = 0; film < 40; film++) await store.add(record(film));
  await Promise.all([store.add(record(39)), store.add(record(40)), store.add(record(40))]);
  const kept = records(dir).map(({ report }) => report);
  expect(readdirSync(dir).length).toBe(3);
  expect(new Set(kept).size).toBe(kept.length);
  expect(kept).toContain(record(40).report);
  await store.close();
  const reopened = await open(dir, limits);
  for (const each of [store, reopened]) {
    expect(each.has(record(0).report)).toBe(false);
    expect(kept.every((report) => each.has(report))).toBe(true);
    expect([0, 1, 2].map((study) => each.filmsOf(record(study).studyInstanceUid)).reduce((a, b) => a + b)).toBe(
      kept.length,
    );
  }
});

test('the catch-up counts what the store has, films not analyses, and leaves such a study alone', async () => {
  const store = await open(folder());
  const told: string[] = [];
  const study = record(0).studyInstanceUid;
  const archive = { findSeries: async () => [{ modality: 'DX', description: 'chest', instances: 2 }] };
  const round = async () => {
    told.length = 0;
    const source = {
      lags: false,
      batches: async function* () {
        yield { studies: [{ studyInstanceUid: study, modalities: null, instances: null }], done: async () => {} };
      },
    };
    const catchUp = new CatchUp(
      {
        source,
        findSeries: (uid) => seriesWithShadow(uid, archive, store),
        findSeriesOf: async () => new Map(),
        coveredFilms: () => Promise.resolve(0),
        publish: async ({ studyInstanceUid }) => void told.push(studyInstanceUid),
        depth: async () => 0,
      },
      { intervalMs: 1000, studiesPerMinute: 60_000, queueLimit: 100 },
      recordingLog(),
    );
    await catchUp.round();
    return told.length;
  };
  expect(await round()).toBe(1);
  await store.add(record(0));
  await store.add(record(0, 100));
  expect(await round()).toBe(1);
  await store.add(record(3));
  expect(await round()).toBe(0);
});

test('a film that was rejected is left alone', async () => {
  const [archive, dir, { pipeline }] = [archiveWithFilms(), folder(), fakePipeline()];
  const references = [...archive.objects.values()].map(({ reference }) => reference);
  const store = await open(dir);
  const note = archive.put(rejectionNote('113001', [references[0]!]));
  expect((await shadowStudyHere(STUDY, {}, pipeline, archive, store)) as object).toMatchObject({
    films: [{ sopInstanceUid: references[1]!.sopInstanceUid }],
  });
  archive.objects.delete(note.sopInstanceUid);
  archive.put(rejectionNote('113037', references));
  expect(await shadowStudyHere(STUDY, {}, pipeline, archive, store)).toBeNull();
  expect(records(dir)).toHaveLength(1);
});
