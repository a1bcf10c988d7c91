import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveUid, type Uid } from '../../src/dicom/uid';
import type { ResultEvent } from '../../src/events/result-event';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { type Database, openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

/** An archive that takes a film again under its UID, and tells of each study that became stable. */
const site = Site.forTests({ orthanc: { config: { OverwriteInstances: true } } });
const dir = mkdtempSync(join(tmpdir(), 'hilum-replaced-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let database: Database | undefined;
afterEach(async () => database?.close());

const drawn = (study: number): SyntheticObject => ({ seed: study, view: 'PA', rows: 64, columns: 56 });
/** The film of one study, with the picture of a seed, under the same UIDs whatever the picture. */
function filmOf(study: number) {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = syntheticUids(drawn(study));
  const ids = {
    StudyInstanceUID: studyInstanceUid,
    SeriesInstanceUID: seriesInstanceUid,
    SOPInstanceUID: sopInstanceUid,
  };
  return {
    study: studyInstanceUid,
    content: (seed: number, attributes: Record<string, unknown> = {}) =>
      syntheticDicom({ ...drawn(seed), attributes: { PatientID: `P${study}`, ...ids, ...attributes } }),
  };
}
const store = (bytes: Uint8Array) => site.ask('/instances', { method: 'POST', body: bytes });

/** Without loss, by a program of another make. */
function runLengthEncoded(bytes: Uint8Array): Uint8Array {
  const [plain, packed] = [join(dir, 'plain.dcm'), join(dir, 'packed.dcm')];
  writeFileSync(plain, bytes);
  // dcmcrle makes a new UID only where it is told to.
  expect(spawnSync('dcmcrle', [plain, packed]).status).toBe(0);
  return new Uint8Array(readFileSync(packed));
}

const listUrl = (name: string) => `file:${join(dir, name)}`;
const openWorklist = (url: string) => new Worklist((database = openDatabase(url, recordingLog())));
const reportOf = (event: ResultEvent) => event.films[0]!.outputs.at(-1)!.sopInstanceUid;

/** Tells of the study and waits for what the worker made of it. */
async function heard(worker: Awaited<ReturnType<Site['work']>>, study: Uid): Promise<ResultEvent | null> {
  const [done, nothing] = [worker.lines('study.done').length, worker.lines('study.nothing-new').length];
  await site.tell(study);
  await until(
    'the study was looked at',
    () => worker.lines('study.done').length > done || worker.lines('study.nothing-new').length > nothing,
    60_000,
  );
  const events = await site.results();
  return events.at(-1) ?? null;
}

test('overwritten: a new result beside the old, on the list with its history; re-encoded or renamed: nothing; back: a third result', async () => {
  const { study, content } = filmOf(1);
  const url = listUrl('overwritten.db');
  const list = openWorklist(url);
  const options = { list: { enabled: true, database: url } };
  const rowOf = async () => (await list.study(study))!;

  await store(content(1));
  const calm = await site.work({ ...options, pipeline: fakePipeline({ probability: 0.1 }).pipeline });
  const first = (await heard(calm, study))!;
  expect(first.priority).toBe('routine');
  await until('it is on the list', async () => (await list.study(study))?.row.state === 'done');
  expect((await rowOf()).row.priority).toBe('routine');

  for (const same of [content(1), content(1, { PatientName: 'Corrected^Name' }), runLengthEncoded(content(1))]) {
    await store(same);
    expect(await heard(calm, study)).toBeNull();
  }
  expect(await site.stored(study)).toEqual(['CR', 'OT', 'SR']);
  await calm.stop();

  await store(content(2));
  // A second worker whose clock is an hour behind: its identity dates the analysis, and its announcement.
  const { pipeline } = fakePipeline({ probability: 0.9 });
  const late = await site.work({
    ...options,
    pipeline: {
      ...pipeline,
      identity: () => ({ ...pipeline.identity(), startedAt: new Date(Date.now() - 3_600_000) }),
    },
  });
  const second = (await heard(late, study))!;
  expect(second).toMatchObject({ priority: 'urgent', films: [{ supersedes: [reportOf(first)] }] });
  await until('the list has it', async () => (await rowOf()).row.priority === 'urgent');
  expect(
    (await rowOf()).history.filter(({ kind }) => kind === 'result').map(({ detail }) => detail['supersedes']),
  ).toEqual(expect.arrayContaining([[], [reportOf(first)]]));
  expect(await site.stored(study)).toEqual(['CR', 'OT', 'OT', 'SR', 'SR']);

  await store(content(1));
  const third = (await heard(late, study))!;
  expect(third.films[0]!.supersedes).toEqual([reportOf(first), reportOf(second)].sort());
  expect(new Set([first, second, third].map(reportOf)).size).toBe(3);
  expect(await heard(late, study)).toBeNull();
}, 180_000);

test('refused by its header: read once that is corrected, and not again', async () => {
  const { study, content } = filmOf(9);
  await store(content(9, { PatientAge: '007Y' }));
  const worker = await site.work({});
  const refused = (await heard(worker, study))!;
  expect(refused.films[0]).toMatchObject({ outcome: 'not-analysed', reason: 'below-minimum-age' });
  await store(content(9, { PatientAge: '070Y' }));
  expect((await heard(worker, study))!.films[0]).toMatchObject({
    outcome: 'analysed',
    supersedes: [reportOf(refused)],
  });
  expect(await heard(worker, study)).toBeNull();
});

test('a replayed, older result of a worker whose clock is ahead never takes the place of a later one', async () => {
  const { study, content } = filmOf(2);
  const url = listUrl('replayed.db');
  const list = openWorklist(url);
  await store(content(3));
  const worker = await site.work({ list: { enabled: true, database: url } });
  const first = (await heard(worker, study))!;
  await store(content(4));
  const second = (await heard(worker, study))!;
  await until('the list has the later one', async () => {
    const films = (await list.study(study))?.record?.films ?? [];
    return films.some(({ supersedes = [] }) => supersedes.length > 0);
  });
  const before = (await list.study(study))!.row;
  await site.announce({ ...first, completedAt: new Date(Date.now() + 3_600_000).toISOString() });
  await until('it was seen as older', () => worker.lines('delivery.superseded').length > 0);
  expect((await list.study(study))!.row).toEqual(before);
  expect(reportOf(second)).not.toBe(reportOf(first));
}, 120_000);

test('a film copied to the right study of the right patient, under its SOP Instance UID: each study has its own result', async () => {
  const { study, content } = filmOf(3);
  const right = syntheticUids(drawn(99)).studyInstanceUid;
  await store(content(5));
  const worker = await site.work();
  const wrong = (await heard(worker, study))!;
  await store(
    content(5, { StudyInstanceUID: right, SeriesInstanceUID: deriveUid(['copied series']), PatientID: 'OTHER' }),
  );
  // Orthanc's DICOMweb plug-in 1.7 does not give out an instance that is in two studies.
  const [found] = await site.ask<{ ID: string }[]>('/tools/lookup', { method: 'POST', body: study });
  await site.ask(`/studies/${found!.ID}`, { method: 'DELETE' });
  const copied = (await heard(worker, right))!;
  expect(copied.studyInstanceUid).toBe(right);
  expect(copied.films[0]!.sopInstanceUid).toBe(wrong.films[0]!.sopInstanceUid);
  const uids = [wrong, copied].flatMap(({ films }) => films[0]!.outputs.map(({ sopInstanceUid }) => sopInstanceUid));
  expect(new Set(uids).size).toBe(4);
  expect(await site.stored(right)).toEqual(['CR', 'OT', 'SR']);
  expect(await site.dead()).toEqual([]);
}, 120_000);
