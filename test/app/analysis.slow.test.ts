import { join, resolve } from 'node:path';
import { openAnalysis } from '../../src/app/analysis';
import { openPipeline } from '../../src/app/pipeline';
import { parseConfig } from '../../src/config/config';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import { unboundedReader } from '../../src/pipeline/film-reader';
import { type FilmTask, inThisThread } from '../../src/pipeline/film-work';
import type { TimedStage } from '../../src/pipeline/stage';
import { recordingLog } from '../support/records/logs';

const WORKER = join(resolve(__dirname, '../support/threads'), 'analysis-worker.cjs');
const CONFIG = parseConfig({
  archive: { url: 'http://archive.invalid/dicom-web' },
  broker: { url: 'amqp://broker.invalid' },
  results: { segmentation: true, parametricMap: true, presentationState: true },
  analysis: { concurrency: 2 },
});
const FILMS = [
  { seed: 1, view: 'PA', rows: 480, columns: 400 },
  { seed: 2, view: 'LL', rows: 480, columns: 400 },
  { seed: 3, view: 'AP', rows: 300, columns: 400 },
] as const;

test('analysis threads give the same results, objects and stages as this thread, bit by bit', async () => {
  const startedAt = new Date('2026-01-02T03:04:05Z');
  const pipeline = await openPipeline(CONFIG, recordingLog());
  const threads = await openAnalysis(CONFIG, recordingLog(), WORKER);
  try {
    const here = inThisThread({ ...pipeline, reader: unboundedReader });
    expect(threads.pipeline.identity()).toMatchObject({ ...here.identity(), startedAt: expect.any(Date) as unknown });
    const tasks = FILMS.map((film): FilmTask => ({
      study: syntheticUids(film).studyInstanceUid,
      film: syntheticUids(film).sopInstanceUid,
      bytes: syntheticDicom(film),
      identity: { ...here.identity(), startedAt },
    }));
    const told = [new Set<TimedStage>(), new Set<TimedStage>()] as const;
    const work = (by: typeof here, seen: Set<TimedStage>) =>
      Promise.all(
        tasks.map((task) => by.analyser.work(task, { stage: (stage) => void seen.add(stage), film: () => undefined })),
      );
    const [inThreads, inHere] = [await work(threads.pipeline, told[0]), await work(here, told[1])];
    expect(inThreads.map(({ result }) => result)).toEqual(inHere.map(({ result }) => result));
    expect(inHere[0]!.objects.length).toBe(5);
    for (const [index, { objects }] of inThreads.entries())
      for (const [at, object] of objects.entries())
        expect(Buffer.compare(object.bytes, inHere[index]!.objects[at]!.bytes)).toBe(0);
    expect(told[0]).toEqual(told[1]);
  } finally {
    await threads.close();
    await pipeline.reader.close();
  }
}, 120_000);
