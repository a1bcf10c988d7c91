import { join, resolve } from 'node:path';
import { AnalysisThreads } from '../../src/pipeline/analysis-threads';
import { deriveUid } from '../../src/dicom/uid';
import type { FilmTask } from '../../src/pipeline/film-work';
import { fakePipeline } from '../support/pipeline/fake-pipeline';
import { recordingLog } from '../support/records/logs';

const FAULTY = join(resolve(__dirname, '../support/threads'), 'faulty-analysis-worker.cjs');
const [DONE, EXIT, THROW, FAIL, TELL, WAIT, RELEASE] = [0, 1, 2, 3, 4, 5, 6] as const;
const identity = fakePipeline().pipeline.identity();

/** What the thread of this test answers. */
interface Seen {
  readonly thread: number;
  readonly study: string;
  readonly isShared: boolean;
  readonly first: number;
}

const opened: AnalysisThreads<unknown>[] = [];
afterEach(async () => {
  for (const threads of opened.splice(0)) await threads.close();
});

async function open(most: number, settings: object = {}, log = recordingLog(), timeoutMs = 60_000) {
  const threads = await AnalysisThreads.open<{ as: string }>({ workerFile: FAULTY, settings, timeoutMs, log }, most);
  opened.push(threads);
  const task = (what: number, more = 0): FilmTask => ({
    study: deriveUid(['study', String(what)]),
    film: deriveUid(['film', String(what)]),
    bytes: Uint8Array.of(what, more),
    identity,
  });
  const work = async (what: number, more = 0): Promise<Seen> =>
    (await threads.work(task(what, more))).result as unknown as Seen;
  return { threads, task, work };
}

test('one thread at first, another when that has a film, and never more than so many', async () => {
  const { work } = await open(2);
  const alone = [await work(DONE), await work(DONE)];
  expect(new Set(alone.map(({ thread }) => thread)).size).toBe(1);
  const [waiting, second] = [work(WAIT), work(WAIT)];
  // Each thread has one film now: the third and the fourth film go to one thread each.
  const [third, fourth] = [work(RELEASE), work(RELEASE)];
  const all = await Promise.all([waiting, second, third, fourth]);
  const used = all.map(({ thread }) => thread);
  expect(new Set(used).size).toBe(2);
  expect(used.slice(0, 2).sort()).toEqual(used.slice(2).sort());
});

test('a film comes in shared memory, and finds its own bytes there', async () => {
  const { work } = await open(1);
  const seen = await Promise.all([1, 2, 3].map((more) => work(DONE, more)));
  expect(seen.map(({ first }) => first)).toEqual([1, 2, 3]);
  expect(seen.every(({ isShared }) => isShared)).toBe(true);
});

test.each([
  ['ends', EXIT],
  ['throws', THROW],
])('a thread that %s fails the films that it has, and the next film gets another', async (_, fault) => {
  const log = recordingLog();
  const { work } = await open(1, {}, log);
  const before = await work(DONE);
  const waiting = work(WAIT).catch((error: unknown) => error);
  await expect(work(fault)).rejects.toMatchObject({ code: 'ANALYSIS_LOST', lasting: 'transient' });
  expect(await waiting).toMatchObject({ code: 'ANALYSIS_LOST' });
  expect((await work(DONE)).thread).not.toBe(before.thread);
  expect(log.lines.map(({ fields }) => fields)).toMatchObject([{ event: 'analysis.lost', why: 'ended', films: 2 }]);
});

test('a film that takes too long costs its thread, and the next film gets another', async () => {
  const log = recordingLog();
  const { work } = await open(1, {}, log, 200);
  const before = await work(DONE);
  await expect(work(WAIT)).rejects.toThrow('analysis.timeoutMs');
  expect((await work(DONE)).thread).not.toBe(before.thread);
  expect(log.lines.map(({ fields }) => fields)).toMatchObject([{ event: 'analysis.lost', why: 'timeout', films: 1 }]);
});

test('films in hand fail when it is closed', async () => {
  const { threads, work } = await open(1);
  const waiting = work(WAIT).catch((error: unknown) => error);
  await work(DONE);
  await threads.close();
  expect(await waiting).toMatchObject({ code: 'ANALYSIS_LOST', lasting: 'transient' });
});

test('what fails in the thread fails here with its code', async () => {
  const { work } = await open(1);
  await expect(work(FAIL)).rejects.toMatchObject({ code: 'ENCODE_FAILED', lasting: 'permanent' });
  await expect(work(DONE)).resolves.toBeDefined();
});

test('what the thread tells of a film reaches its observer, and what it warns of the log', async () => {
  const log = recordingLog();
  const { threads, task } = await open(1, {}, log);
  const told: unknown[] = [];
  await threads.work(task(TELL), {
    stage: (stage, seconds) => told.push([stage, seconds]),
    film: () => told.push('film'),
    measured: (measures) => told.push(measures),
  });
  expect(told).toEqual([['infer', 0.5], { probability: 0.25 }]);
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { event: 'decoder.lost' } }]);
});

test('networks that can not be used show when it is opened', async () => {
  await expect(open(2, { unusable: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  await expect(open(2, { ends: true })).rejects.toThrow('cannot start');
  expect((await open(2, { as: 'it says' })).threads.description).toEqual({ as: 'it says' });
});
