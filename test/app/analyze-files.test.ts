import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createCanvas } from '@napi-rs/canvas';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analysisBy, type FileResult, type GivenFile, isJournal } from '../../src/app/analyze-files';
import { resultsCsv, stateOf, tallyOf, tallyText } from '../../src/app/file-results';
import { readPart10 } from '../../src/dicom/read';
import { HILUM } from '../../src/objects/own-result';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import type { Pipeline } from '../../src/pipeline/pipeline';
import { fakePipeline, MemoryArchive } from '../support/pipeline/fake-pipeline';
import { rejectionNote } from '../support/films/rejection-note';

const SMALL = { rows: 96, columns: 80 } as const;
const dirs: string[] = [];
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

function folders(): { films: string; out: string } {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-analyze-'));
  dirs.push(dir);
  const films = join(dir, 'films');
  mkdirSync(films);
  return { films, out: join(dir, 'out') };
}

function named(probability = 0.7): { pipeline: Pipeline; seen: unknown[] } {
  const { pipeline, seen } = fakePipeline({ probability });
  return { pipeline: { ...pipeline, identity: () => ({ ...pipeline.identity(), device: HILUM }) }, seen };
}

const filesOf = (folder: string): GivenFile[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile() && !isJournal(file))
    .sort()
    .map((file) => ({ file, isNamed: false }));

async function run(films: string, out: string, pipeline: Pipeline, again = false) {
  mkdirSync(out, { recursive: true });
  const files = filesOf(films);
  const analysis = await analysisBy(pipeline, { out, files, again });
  const results: FileResult[] = [];
  let [kept, own] = [0, 0];
  try {
    for (const file of files) {
      const work = await analysis.analyze(file);
      if (work === null) own++;
      else {
        results.push(work.result);
        if (work.isKept) kept++;
      }
    }
  } finally {
    await analysis.close();
  }
  return { results, kept, own, labels: analysis.labels };
}

function png(): Uint8Array {
  const canvas = createCanvas(80, 96);
  const pen = canvas.getContext('2d');
  for (let y = 0; y < 96; y++) {
    pen.fillStyle = `rgb(${2 * y}, ${2 * y}, ${2 * y})`;
    pen.fillRect(0, y, 80, 1);
  }
  return canvas.toBuffer('image/png');
}

/** A film, a lateral, a PNG, a JPEG of the same, a text, an index of a medium, a damaged film. */
function mixture(films: string): void {
  writeFileSync(join(films, 'a.dcm'), syntheticDicom({ seed: 1, view: 'PA', ...SMALL }));
  writeFileSync(join(films, 'b.dcm'), syntheticDicom({ seed: 2, view: 'LL', ...SMALL }));
  writeFileSync(join(films, 'c.png'), png());
  writeFileSync(join(films, 'd.txt'), 'this is no film');
  writeFileSync(join(films, 'DICOMDIR'), Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]));
  writeFileSync(join(films, 'z.dcm'), syntheticDicom({ seed: 3, view: 'PA', ...SMALL }).subarray(0, 200));
}

test('each file has its state; a tally and a table say the same', async () => {
  const { films, out } = folders();
  mixture(films);
  const { results, kept, own, labels } = await run(films, out, named().pipeline);
  expect(results.map((result) => [result.file.slice(films.length + 1), stateOf(result), result.kind])).toEqual([
    ['DICOMDIR', 'no-chest-film', 'dicom'],
    ['a.dcm', 'analysed', 'dicom'],
    ['b.dcm', 'not-analysed', 'dicom'],
    ['c.png', 'analysed', 'png'],
    ['d.txt', 'no-chest-film', 'dicom'],
    ['z.dcm', 'unreadable', 'dicom'],
  ]);
  expect(tallyText(tallyOf(results, kept, own))).toBe(
    '6 files: 2 analysed (2 urgent), 1 not analysed, 2 no chest film, 1 could not be read',
  );
  expect(labels).toEqual(['COVID-19']);
  const [heading, ...rows] = resultsCsv(results, labels).trim().split('\n');
  expect(heading).toBe(
    'file,sop_instance_uid,state,reason,view,COVID-19 probability,COVID-19 operating point,' +
      'COVID-19 at or above,urgent,seconds,outputs',
  );
  expect(rows).toHaveLength(6);
  const [film, picture] = [results[1]!, results[3]!];
  expect(rows[1]).toMatch(
    new RegExp(
      `/a\\.dcm,${film.sopInstanceUid},analysed,,frontal,0\\.\\d+,0\\.5,true,true,[\\d.]+,.*heat-map.*; .*report`,
    ),
  );
  expect(film.findings[0]).toMatchObject({ label: 'COVID-19', operatingPoint: 0.5, atOrAbove: true, mode: 'live' });
  // A picture stands in no study: its heat map is a picture, and it has no UID.
  expect(picture).toMatchObject({ sopInstanceUid: null, urgent: true, probability: expect.closeTo(0.7) as number });
  expect(picture.outputs).toHaveLength(1);
  expect(readFileSync(picture.outputs[0]!).subarray(1, 4).toString()).toBe('PNG');
});

test('a file of another kind that is named is a failure: somebody takes it for a film', async () => {
  const { films, out } = folders();
  mkdirSync(out);
  const file = join(films, 'd.txt');
  writeFileSync(file, 'this is no film');
  const analysis = await analysisBy(named().pipeline, { out, files: [{ file, isNamed: true }] });
  const work = await analysis.analyze({ file, isNamed: true });
  expect(stateOf(work!.result)).toBe('unreadable');
  const gone = await analysis.analyze({ file: join(films, 'gone.dcm'), isNamed: false });
  expect(stateOf(gone!.result)).toBe('unreadable');
  await analysis.close();
});

test('a second run does nothing anew and says the same, also of results that lie among the films', async () => {
  const { films } = folders();
  mixture(films);
  const first = await run(films, films, named().pipeline);
  const { pipeline, seen } = named(0.1);
  const second = await run(films, films, pipeline);
  expect(seen).toHaveLength(0);
  // What could not be read is tried again, and that takes its own time.
  const untimed = ({ results }: { results: FileResult[] }) => results.map((result) => ({ ...result, seconds: null }));
  expect(untimed(second)).toEqual(untimed(first));
  expect([second.kept, second.own]).toEqual([5, 4]);
  expect(tallyText(tallyOf(second.results, second.kept, second.own))).toContain(
    '; 5 of them done before (--again does them anew); 4 results of Hilum left alone',
  );
  // Without the journal they are known by what they say of themselves.
  const journal = readdirSync(films).find(isJournal)!;
  rmSync(join(films, journal));
  const third = await run(films, films, named().pipeline);
  expect([third.kept, third.own, third.results.length]).toEqual([0, 4, 6]);
  const again = await run(films, films, named(0.2).pipeline, true);
  expect(again.results.find(({ file }) => file.endsWith('a.dcm'))!.probability).toBeCloseTo(0.2);
});

test('what changed is done again: film, settings, results that are gone; another date alone is not', async () => {
  const { films, out } = folders();
  const file = join(films, 'a.dcm');
  writeFileSync(file, syntheticDicom({ seed: 1, view: 'PA', ...SMALL }));
  const { pipeline } = named();
  const [result] = (await run(films, out, pipeline)).results;
  utimesSync(file, new Date(), new Date(Date.now() + 5_000));
  expect((await run(films, out, pipeline)).kept).toBe(1);
  rmSync(result!.outputs[0]!);
  expect((await run(films, out, pipeline)).kept).toBe(0);
  expect(existsSync(result!.outputs[0]!)).toBe(true);
  expect((await run(films, out, pipeline)).kept).toBe(1);
  const moved: Pipeline = {
    ...pipeline,
    identity: () => {
      const identity = pipeline.identity();
      return { ...identity, findings: [{ ...identity.findings[0]!, operatingPoint: 0.9 }] };
    },
  };
  expect((await run(films, out, moved)).kept).toBe(0);
  expect((await run(films, out, pipeline)).kept).toBe(1);
  writeFileSync(file, syntheticDicom({ seed: 5, view: 'PA', ...SMALL }));
  expect((await run(films, out, pipeline)).kept).toBe(0);
});

test('a rejection note among the files holds for its study, and for what was done before it came', async () => {
  const { films, out } = folders();
  const bytes = syntheticDicom({ seed: 1, view: 'PA', ...SMALL });
  const reference = new MemoryArchive().put(bytes);
  writeFileSync(join(films, 'a.dcm'), bytes);
  const { pipeline } = named();
  expect((await run(films, out, pipeline)).results.map(stateOf)).toEqual(['analysed']);
  writeFileSync(join(films, 'note.dcm'), rejectionNote('113001', [reference]));
  const { results, kept, own } = await run(films, out, pipeline);
  expect(kept).toBe(0);
  expect(results.map((result) => [stateOf(result), result.sopInstanceUid === reference.sopInstanceUid])).toEqual([
    ['rejected', true],
    ['no-chest-film', false],
  ]);
  expect(results[0]!.reason).toMatch(/^rejected-for-quality: /);
  expect(tallyText(tallyOf(results, kept, own))).toBe('2 files: 1 rejected by a note, 1 no chest film');
  expect((await run(films, out, pipeline)).kept).toBe(2);
  rmSync(join(films, 'note.dcm'));
  expect((await run(films, out, pipeline)).results.map(stateOf)).toEqual(['analysed']);
});

test('a result that can not be written ends the run and is no word about the film; nothing of it is left', async () => {
  const { films, out } = folders();
  const file = join(films, 'a.dcm');
  copyFileSync(write(file), join(films, 'b.dcm'));
  mkdirSync(out);
  const { pipeline } = named();
  const { sopInstanceUid } = readPart10(readFileSync(file));
  // A file where the film's folder should be.
  writeFileSync(join(out, sopInstanceUid), '');
  await expect(run(films, out, pipeline)).rejects.toMatchObject({
    code: 'OUTPUT_FAILED',
    message: expect.stringMatching(/^the folder .* can't be written to: it is no folder \(ENOTDIR\)$/) as string,
  });
  rmSync(join(out, sopInstanceUid));
  // The report's own name is taken, behind a heat map that could be written.
  const [{ outputs }] = (await run(films, out, pipeline)).results as [FileResult];
  for (const output of outputs) rmSync(output);
  mkdirSync(outputs[1]!);
  await expect(run(films, out, pipeline)).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
  expect(existsSync(outputs[0]!)).toBe(false);
  expect(readdirSync(join(out, sopInstanceUid)).filter((name) => name.endsWith('.new'))).toEqual([]);
});

function write(file: string): string {
  writeFileSync(file, syntheticDicom({ seed: 1, view: 'PA', ...SMALL }));
  return file;
}
