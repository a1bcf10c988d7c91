import { coveredFilms } from '../../src/catch-up/covered-films';
import { parseUid } from '../../src/dicom/uid';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import type { Pipeline } from '../../src/pipeline/pipeline';
import { fakePipeline, MemoryAnnouncer, MemoryArchive, runStudyHere } from '../support/pipeline/fake-pipeline';

const DRAWN = { seed: 1, view: 'PA', rows: 280, columns: 240 } as const;
const { studyInstanceUid: STUDY } = syntheticUids(DRAWN);

test('counts films by their reports: two of one film are one, and each report is read once', async () => {
  const archive = new MemoryArchive();
  archive.put(syntheticDicom(DRAWN));
  const { pipeline } = fakePipeline();
  const run = (by: Pipeline) =>
    runStudyHere(STUDY, { redelivered: false, reanalyze: true }, by, { archive, announcer: new MemoryAnnouncer() });
  await run(pipeline);
  await run({ ...pipeline, identity: () => ({ ...pipeline.identity(), srClass: 'comprehensive' }) });
  archive.put(syntheticDicom({ ...DRAWN, view: 'AP', studyInstanceUid: STUDY }));
  const count = coveredFilms(archive);
  expect(await count(STUDY)).toBe(1);
  const { retrieve } = archive.calls;
  expect(await count(STUDY)).toBe(1);
  expect(archive.calls.retrieve).toBe(retrieve);
  await run(pipeline);
  expect(await count(STUDY)).toBe(2);
});

test('a report of another study, or of a film that is gone, covers none', async () => {
  const archive = new MemoryArchive();
  const film = archive.put(syntheticDicom(DRAWN));
  await runStudyHere(STUDY, { redelivered: false }, fakePipeline().pipeline, {
    archive,
    announcer: new MemoryAnnouncer(),
  });
  const other = parseUid('1.2.3');
  for (const { reference, bytes } of [...archive.objects.values()])
    archive.objects.set(`copy ${reference.sopInstanceUid}`, {
      reference: { ...reference, studyInstanceUid: other },
      bytes,
    });
  expect(await coveredFilms(archive)(other)).toBe(0);
  archive.objects.delete(film.sopInstanceUid);
  expect(await coveredFilms(archive)(STUDY)).toBe(0);
});
