import { HilumError } from '../../src/base/errors';
import { readPart10 } from '../../src/dicom/read';
import { parseUid, type Uid } from '../../src/dicom/uid';
import { readReport } from '../../src/objects/report-reader';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import { validateObject } from '../../src/objects/validate';
import { encode } from '../../src/pipeline/encode';
import { analyseFilm, type Pipeline } from '../../src/pipeline/pipeline';
import type { StudyRun } from '../../src/pipeline/study';
import {
  checkedPipeline,
  fakePipeline,
  MemoryAnnouncer,
  MemoryArchive,
  runKnownStudy,
} from '../support/pipeline/fake-pipeline';

const DRAWN = { seed: 1, view: 'PA', rows: 280, columns: 240 } as const;
const { studyInstanceUid: STUDY, sopInstanceUid: FILM } = syntheticUids(DRAWN);
/** Another picture, under the UIDs of the first. */
const content = (seed: number, attributes: Record<string, unknown> = {}) =>
  syntheticDicom({ ...DRAWN, seed, attributes: { ...identifiersOf(DRAWN), ...attributes } });
const identifiersOf = (film: typeof DRAWN) => {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = syntheticUids(film);
  return { StudyInstanceUID: studyInstanceUid, SeriesInstanceUID: seriesInstanceUid, SOPInstanceUID: sopInstanceUid };
};

function setUp(pipeline: Pipeline = fakePipeline().pipeline) {
  const archive = new MemoryArchive();
  const announcer = new MemoryAnnouncer();
  const overwrite = (bytes: Uint8Array) => {
    archive.objects.delete(FILM);
    archive.put(bytes);
  };
  overwrite(content(1));
  /** As the archive's event has it run. */
  const run = ({ pipeline: other = pipeline, ...options }: Partial<StudyRun> & { pipeline?: Pipeline } = {}) =>
    runKnownStudy(STUDY, { redelivered: false, compare: true, ...options }, other, { archive, announcer });
  const reports = () =>
    [...archive.objects.values()]
      .filter(({ reference }) => reference.modality === 'SR')
      .map(({ bytes }) => ({ bytes, ...readReport(bytes) }));
  return { archive, announcer, overwrite, run, reports };
}

const reportIn = (event: Awaited<ReturnType<typeof runKnownStudy>>) => event!.films[0]!.outputs.at(-1)!.sopInstanceUid;
const calm = fakePipeline({ probability: 0.1 }).pipeline;

test('a film overwritten under its UID is read anew, beside the old result, which the new one names', async () => {
  const { archive, overwrite, run, reports } = setUp();
  const first = await run();
  expect(first!.films[0]).not.toHaveProperty('supersedes');
  overwrite(content(2));
  const second = await run({ pipeline: calm });
  expect([first!.priority, second!.priority]).toEqual(['urgent', 'routine']);
  expect(second!.films).toEqual([expect.objectContaining({ outcome: 'analysed', supersedes: [reportIn(first)] })]);
  expect(archive.objects.size).toBe(1 + 2 + 2);
  const [old, anew] = reports();
  expect(old!.links).toMatchObject({ predecessors: [], film: FILM, study: STUDY });
  expect(anew!.links.predecessors).toEqual([old!.links.report]);
  expect(anew!.links.digest!.decoded).not.toBe(old!.links.digest!.decoded);
  expect(validateObject(anew!.bytes)).toEqual([]);
  expect(
    new Set([old, anew].flatMap((report) => report!.outputs.map(({ sopInstanceUid }) => sopInstanceUid))).size,
  ).toBe(4);
});

test('a film that stayed as it is, was renamed, re-encoded or described anew says nothing new', async () => {
  const { archive, announcer, overwrite, run } = setUp();
  await run();
  expect(await run()).toBeNull();
  overwrite(content(1, { PatientName: 'Corrected^Name', StudyDescription: 'x', WindowCenter: '2048.0' }));
  expect(await run()).toBeNull();
  expect(await run({ reanalyze: true })).toBeNull();
  expect([archive.objects.size, announcer.events.length]).toEqual([3, 1]);
});

test('only where it is asked to compare; else one query is all', async () => {
  const { archive, overwrite, run } = setUp();
  await run();
  overwrite(content(2));
  const before = { ...archive.calls };
  expect(await run({ compare: false })).toBeNull();
  expect(archive.calls).toEqual({ ...before, find: before.find + 1 });
  expect(await run({ compare: false, reanalyze: true })).toBeNull();
  expect(
    await runKnownStudy(STUDY, { redelivered: false, reanalyze: true }, fakePipeline().pipeline, {
      archive,
      announcer: new MemoryAnnouncer(),
    }),
  ).not.toBeNull();
});

test('back to its first content the film gets a third result, which supersedes both', async () => {
  const { overwrite, run, reports } = setUp();
  const first = reportIn(await run());
  overwrite(content(2));
  const second = reportIn(await run());
  overwrite(content(1));
  const event = await run();
  const third = reportIn(event);
  expect(new Set([first, second, third]).size).toBe(3);
  expect(event!.films[0]!.supersedes).toEqual([first, second].sort());
  expect(reports().map(({ links }) => links.predecessors.map(({ sopInstanceUid }) => sopInstanceUid))).toEqual([
    [],
    [first],
    [second],
  ]);
  expect(await run()).toBeNull();
  expect(await run({ reanalyze: true })).toBeNull();
});

test.each(['store', 'announce'] as const)(
  'killed at the %s of the new result, the next try completes it once',
  async (at) => {
    const { archive, announcer, overwrite, run, reports } = setUp();
    await run();
    overwrite(content(2));
    let n = 0;
    if (at === 'announce') announcer.fail = true;
    else
      archive.before = (call) => {
        if (call === 'store' && ++n === 2) throw new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'gone');
      };
    await expect(run()).rejects.toMatchObject({ lasting: 'transient' });
    archive.before = () => {};
    announcer.fail = false;
    const event = await run({ redelivered: true });
    expect(event!.films[0]!.supersedes).toHaveLength(1);
    expect(archive.objects.size).toBe(5);
    expect(reports()).toHaveLength(2);
  },
);

test('a redelivered event tells of the result in effect, not of the first', async () => {
  const { overwrite, run } = setUp();
  await run();
  overwrite(content(2));
  const second = await run({ pipeline: calm });
  const again = await run({ pipeline: calm, redelivered: true });
  expect(again!.films).toEqual(second!.films);
  expect(again!.priority).toBe('routine');
  expect(again!.skipped).toEqual([]);
});

describe('with another version', () => {
  const newer = (pipeline: Pipeline): Pipeline => ({
    ...pipeline,
    identity: () => ({
      ...pipeline.identity(),
      models: pipeline.identity().models.map((model) => ({ ...model, version: '2' })),
    }),
  });

  test('a film that is read anew names the older report; its UIDs are those of a first result', async () => {
    const { run, reports } = setUp();
    const first = reportIn(await run());
    const event = await run({ pipeline: newer(calm), reanalyze: true });
    expect(event!.films[0]!.supersedes).toEqual([first]);
    const fresh = setUp();
    expect(reportIn(await fresh.run({ pipeline: newer(calm) }))).toBe(reportIn(event));
    expect(reports()[1]!.links.predecessors).toHaveLength(1);
  });

  test('a film that the archive does not return while it is read anew is read once it is returned', async () => {
    const { archive, run, reports } = setUp();
    await run();
    archive.before = (call, uid) => {
      if (call === 'retrieve' && uid === FILM) throw new HilumError('DICOM_UNREADABLE', 'permanent', 'too large');
    };
    expect(await run({ pipeline: newer(calm), reanalyze: true })).toMatchObject({
      films: [{ outcome: 'not-analysed', reason: 'unreadable' }],
    });
    expect(await run({ pipeline: newer(calm), reanalyze: true })).toBeNull();
    archive.before = () => {};
    expect(await run({ pipeline: newer(calm) })).toMatchObject({
      priority: 'routine',
      films: [{ outcome: 'analysed' }],
    });
    expect(reports()).toHaveLength(3);
  });

  test('the result of another version holds as long as the content does, and is replaced with it', async () => {
    const { overwrite, run } = setUp();
    const first = reportIn(await run());
    expect(await run({ pipeline: newer(calm) })).toBeNull();
    overwrite(content(2));
    const event = await run({ pipeline: newer(calm) });
    expect(event!.films[0]!.supersedes).toEqual([first]);
    expect(await run()).toBeNull();
  });
});

test('a report without a digest, as version 0.1 wrote them, counts as unchanged', async () => {
  const { archive, announcer, overwrite, run } = setUp();
  const { pipeline } = fakePipeline();
  const outcome = await analyseFilm(content(1), pipeline);
  const { explained } = outcome as Extract<typeof outcome, { outcome: 'analysed' }>;
  const bare = { outcome: 'analysed', sopInstanceUid: FILM, explained } as const;
  for (const { bytes } of encode(bare, pipeline.identity())) archive.put(bytes);
  overwrite(content(2));
  expect(await run()).toBeNull();
  expect(announcer.events).toEqual([]);
});

const HAND = { BodyPartExamined: 'HAND', SeriesDescription: 'hand', StudyDescription: 'hand' };

describe.each([
  ['none of the chest', 'body-part', () => content(2, HAND)],
  ['unreadable', 'unreadable', () => content(2).slice(0, 300)],
] as const)('a film with a report that is %s now', (_, reason, exchanged) => {
  const exchange = async () => {
    const given = setUp();
    const { archive, run } = given;
    const first = reportIn(await run());
    const { reference, bytes } = archive.objects.get(FILM)!;
    const put = (file: Uint8Array) => archive.objects.set(FILM, { reference, bytes: file });
    put(exchanged());
    return { ...given, first, put, original: bytes };
  };

  test('takes its result back by a report that says why and names the earlier one', async () => {
    const { run, first, reports, announcer } = await exchange();
    const event = await run();
    expect(event).toMatchObject({
      priority: null,
      films: [{ outcome: 'not-analysed', reason, probability: null, supersedes: [first] }],
    });
    expect(event!.films[0]!.outputs).toHaveLength(1);
    const [, written] = reports();
    expect(validateObject(written!.bytes)).toEqual([]);
    expect(written).toMatchObject({ reason, links: { predecessors: [{ sopInstanceUid: first }] } });
    // Nothing new from now on, however often it is looked at.
    expect(await run()).toBeNull();
    expect(await run({ reanalyze: true })).toBeNull();
    expect(announcer.events).toHaveLength(2);
    expect(reports()).toHaveLength(2);
  });

  test('tells nothing of the earlier result where it is tried again without a comparison', async () => {
    const { run, announcer, first, reports } = await exchange();
    announcer.fail = true;
    await expect(run()).rejects.toThrow(HilumError);
    announcer.fail = false;
    expect(await run({ compare: false, redelivered: true })).toMatchObject({
      priority: null,
      films: [{ reason, supersedes: [first] }],
    });
    expect(reports()).toHaveLength(2);
  });

  test('is read again once it has its content back', async () => {
    const { run, put, original, reports } = await exchange();
    const taken = reportIn(await run());
    put(original);
    const event = await run();
    expect(event).toMatchObject({ priority: 'urgent', films: [{ outcome: 'analysed' }] });
    expect(event!.films[0]!.supersedes).toContain(taken);
    expect(reports()).toHaveLength(3);
    expect(await run()).toBeNull();
  });
});

test('a film that is none of the chest and has no report gets none, however often it is exchanged', async () => {
  const { archive, overwrite, run } = setUp();
  for (const seed of [1, 2]) {
    overwrite(content(seed, HAND));
    expect((await run())!.films[0]).toMatchObject({ outcome: 'rejected', outputs: [] });
  }
  expect(archive.objects.size).toBe(1);
});

test('what was refused by its header is known again by its pixels, and read when they change', async () => {
  const lateral = { ViewPosition: 'LL' };
  const { overwrite, run } = setUp();
  overwrite(content(1, lateral));
  expect((await run())!.films[0]).toMatchObject({ outcome: 'not-analysed', reason: 'lateral-view' });
  expect(await run()).toBeNull();
  overwrite(content(2));
  expect((await run())!.films[0]).toMatchObject({ outcome: 'analysed' });
});

const BONES = { BodyPartExamined: 'RIB', SeriesDescription: 'ribs', StudyDescription: 'ribs' };

test.each<[string, Record<string, string>, Record<string, string>]>([
  ['lateral-view', { ViewPosition: 'LL' }, {}],
  ['below-minimum-age', { PatientAge: '007Y' }, { PatientAge: '070Y' }],
  ['body-part', BONES, {}],
])('a film that its header refused (%s) is read once the header is corrected', async (reason, wrong, right) => {
  const { overwrite, run, reports } = setUp();
  overwrite(content(1, wrong));
  const first = await run();
  expect(first!.films[0]).toMatchObject({ outcome: 'not-analysed', reason });
  overwrite(content(1, right));
  expect(await run({ compare: false })).toBeNull();
  expect((await run())!.films[0]).toMatchObject({ outcome: 'analysed', supersedes: [reportIn(first)] });
  expect(await run()).toBeNull();
  expect(await run({ reanalyze: true })).toBeNull();
  expect(reports()).toHaveLength(2);
});

test('a film that its header refuses for another reason now gets a report that says so', async () => {
  const { overwrite, run } = setUp();
  overwrite(content(1, { ViewPosition: 'LL' }));
  await run();
  overwrite(content(1, { PatientAge: '007Y' }));
  expect((await run())!.films[0]).toMatchObject({ outcome: 'not-analysed', reason: 'below-minimum-age' });
  expect(await run()).toBeNull();
});

test('a lateral view that the view model saw is not looked at again where the header does not name one', async () => {
  const { overwrite, run } = setUp(fakePipeline({ lateral: 0.9 }).pipeline);
  overwrite(content(1, { ViewPosition: '' }));
  expect((await run())!.films[0]).toMatchObject({ reason: 'lateral-view', view: 'lateral' });
  expect(await run()).toBeNull();
});

test('an unreadable film is not a new one at each event', async () => {
  const { archive, overwrite, run } = setUp();
  overwrite(content(1, { Rows: 9_999 }));
  expect((await run())!.films[0]).toMatchObject({ outcome: 'not-analysed', reason: 'undecodable' });
  expect(await run()).toBeNull();
  expect(archive.objects.size).toBe(2);
});

test('other films of the study keep their results, and the event tells of all', async () => {
  const { archive, overwrite, run } = setUp();
  const other = archive.put(syntheticDicom({ ...DRAWN, view: 'AP', studyInstanceUid: STUDY, instance: 2 }));
  await run();
  overwrite(content(2));
  const event = await run();
  expect(event!.films.map(({ sopInstanceUid, supersedes = [] }) => [sopInstanceUid, supersedes.length])).toEqual([
    [FILM, 1],
    [other.sopInstanceUid, 0],
  ]);
  expect(archive.objects.size).toBe(2 + 4 + 2);
});

describe('the same SOP Instance UID in two studies', () => {
  const RIGHT = parseUid('1.2.826.0.1.3680043.10.77');
  const result = async (study: Uid, bytes: Uint8Array, before: readonly Uint8Array[] = []) => {
    const [archive, announcer] = [new MemoryArchive(), new MemoryAnnouncer()];
    for (const object of [bytes, ...before]) archive.put(object);
    const event = await runKnownStudy(study, { redelivered: false, compare: true }, checkedPipeline(0.9, 0.9), {
      archive,
      announcer,
    });
    return { event, archive };
  };
  const copy = content(1, { StudyInstanceUID: RIGHT });

  test('each study has a result of its own, with references to itself', async () => {
    const [wrong, right] = [await result(STUDY, content(1)), await result(RIGHT, copy)];
    const uids = [wrong, right].flatMap(({ event }) =>
      event!.films[0]!.outputs.flatMap(({ sopInstanceUid, seriesInstanceUid }) => [sopInstanceUid, seriesInstanceUid]),
    );
    expect(new Set(uids).size).toBe(8);
    const report = right.archive.objects.get(reportIn(right.event))!.bytes;
    expect(readPart10(report).attributes.StudyInstanceUID).toBe(RIGHT);
    expect(readReport(report).links.study).toBe(RIGHT);
  });

  test("a report of the wrong study that was copied along does not stand for the right one's", async () => {
    const wrong = await result(STUDY, content(1));
    const report = wrong.archive.objects.get(reportIn(wrong.event))!;
    const archive = new MemoryArchive();
    archive.put(copy);
    archive.objects.set(report.reference.sopInstanceUid, {
      ...report,
      reference: { ...report.reference, studyInstanceUid: RIGHT },
    });
    const event = await runKnownStudy(RIGHT, { redelivered: false, compare: true }, fakePipeline().pipeline, {
      archive,
      announcer: new MemoryAnnouncer(),
    });
    expect(event!.films[0]).toMatchObject({ outcome: 'analysed' });
    expect(reportIn(event)).not.toBe(report.reference.sopInstanceUid);
  });
});
