import { HilumError } from '../../src/base/errors';
import { parseUid, type Uid } from '../../src/dicom/uid';
import { BODY_PART_UNCLEAR } from '../../src/finding/wording';
import { readReport } from '../../src/objects/report-reader';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { resultUids } from '../../src/pipeline/encode';
import type { Pipeline } from '../../src/pipeline/pipeline';
import type { StudyRun } from '../../src/pipeline/study';
import {
  fakePipeline,
  MemoryAnnouncer,
  MemoryArchive,
  runKnownStudy,
  runStudyHere,
} from '../support/pipeline/fake-pipeline';

const FILM = syntheticDicom({ seed: 1, view: 'PA', rows: 280, columns: 240 });
/** A second exposure of the study. */
const AGAIN = syntheticDicom({ seed: 1, view: 'PA', rows: 280, columns: 240, instance: 2 });
/** Of one study. */
const TWO_FILMS = [FILM, syntheticDicom({ seed: 1, view: 'LL', rows: 280, columns: 240 })];
const SC = '1.2.840.10008.5.1.4.1.1.7';
const SR_3D = '1.2.840.10008.5.1.4.1.1.88.34';

function setUp(films: readonly Uint8Array[] = [FILM], pipeline: Pipeline = fakePipeline().pipeline) {
  const archive = new MemoryArchive();
  const announcer = new MemoryAnnouncer();
  const references = films.map((film) => archive.put(film));
  const study = references[0]!.studyInstanceUid;
  const run = (
    redelivered = false,
    { pipeline: other = pipeline, ...options }: Partial<StudyRun> & { pipeline?: Pipeline } = {},
  ) => runKnownStudy(study, { redelivered, ...options }, other, { archive, announcer });
  return { archive, announcer, references, study, run, pipeline };
}

const classes = (archive: MemoryArchive) =>
  [...archive.objects.values()].map(({ reference }) => reference.sopClassUid).sort();

test('a film gets a heat map and a report in its study, and the study is announced', async () => {
  const { archive, announcer, references, run } = setUp();
  await run();
  expect(classes(archive)).toEqual([references[0]!.sopClassUid, SC, SR_3D].sort());
  expect(announcer.events).toHaveLength(1);
  expect(announcer.events[0]).toMatchObject({
    type: 'study-result',
    priority: 'urgent',
    skipped: [],
    films: [{ outcome: 'analysed', view: 'frontal', reason: null }],
  });
  expect(announcer.events[0]!.films[0]!.probability).toBeCloseTo(0.9, 5);
  expect(announcer.events[0]!.films[0]!.outputs.map(({ sopClassUid }) => sopClassUid)).toEqual([SC, SR_3D]);
});

test('a film whose result could not be stored is measured again, and its measures count once', async () => {
  const counted: string[] = [];
  const observer = {
    stage: () => {},
    film: () => void counted.push('film'),
    measured: () => void counted.push('measures'),
  };
  const { archive, run } = setUp([FILM], { ...fakePipeline().pipeline, observer });
  archive.before = (call) => {
    if (call === 'store') throw new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'gone');
  };
  await expect(run()).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE' });
  expect(counted).toEqual([]);
  archive.before = () => {};
  await run();
  expect(counted).toEqual(['film', 'measures']);
});

test.each([
  ['another film of the study', TWO_FILMS[1]!],
  ['a film of another patient', syntheticDicom({ seed: 2, view: 'PA', rows: 280, columns: 240 })],
  [
    'the film under an earlier study',
    syntheticDicom({
      seed: 1,
      view: 'PA',
      rows: 280,
      columns: 240,
      attributes: { StudyInstanceUID: '1.2.3' },
    }),
  ],
])('an archive that sends %s instead: no result of it, and the other films get theirs', async (_case, sent) => {
  const { archive, announcer, references, run } = setUp([FILM, AGAIN]);
  const [film] = references;
  archive.objects.set(film!.sopInstanceUid, { reference: film!, bytes: sent });
  await expect(run()).rejects.toMatchObject({
    code: 'ENCODE_FAILED',
    lasting: 'permanent',
    message: expect.stringContaining('not the film that was asked for') as string,
  });
  const reports = [...archive.objects.values()].filter(({ reference }) => reference.sopClassUid === SR_3D);
  expect(reports.map(({ bytes }) => readReport(bytes).links)).toMatchObject([
    { film: references[1]!.sopInstanceUid, study: film!.studyInstanceUid },
  ]);
  expect(announcer.events).toEqual([]);
});

test('the same event again changes nothing, announces nothing and costs one query', async () => {
  const { archive, announcer, run } = setUp();
  await run();
  const before = { ...archive.calls };
  expect(await run()).toBeNull();
  expect(archive.objects.size).toBe(3);
  expect(announcer.events).toHaveLength(1);
  expect(archive.calls).toEqual({ ...before, find: before.find + 1 });
});

test('a redelivered event announces the same result, read back from the report', async () => {
  const { announcer, run, archive } = setUp();
  announcer.fail = true;
  await expect(run()).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', lasting: 'transient' });
  announcer.fail = false;
  const stored = archive.objects.size;
  const event = await run(true);
  expect(archive.objects.size).toBe(stored);
  expect(event!.films).toEqual([expect.objectContaining({ outcome: 'analysed', view: 'frontal' })]);
  expect(event!.films[0]!.probability).toBeCloseTo(0.9, 5);
  expect(event!.priority).toBe('urgent');
});

test.each(['find', 'retrieve', 'store'] as const)(
  'killed at any %s, the next try completes the set exactly once',
  async (call) => {
    const undisturbed = setUp(TWO_FILMS);
    await undisturbed.run();
    const complete = [...undisturbed.archive.objects.keys()].sort();
    const calls = undisturbed.archive.calls[call];
    expect(calls).toBeGreaterThanOrEqual(2);
    for (let at = 1; at <= calls; at++) {
      const { archive, announcer, run } = setUp(TWO_FILMS);
      let n = 0;
      archive.before = (kind) => {
        if (kind === call && ++n === at) throw new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'gone');
      };
      await expect(run()).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE', lasting: 'transient' });
      expect({ at, n, announced: announcer.events.length }).toEqual({ at, n: at, announced: 0 });
      archive.before = () => {};
      await run(true);
      expect([...archive.objects.keys()].sort()).toEqual(complete);
      expect(announcer.events).toHaveLength(1);
    }
  },
);

test('a store whose answer is lost is looked up and not sent again', async () => {
  const { archive, run } = setUp();
  archive.afterStore = () => {
    throw new HilumError('STORE_AMBIGUOUS', 'ambiguous', 'no answer');
  };
  await run();
  expect(archive.objects.size).toBe(3);
  expect(archive.calls.store).toBe(2);
});

test('a store that was lost altogether is not called done', async () => {
  const { archive, run, announcer } = setUp();
  archive.before = (call) => {
    if (call === 'store') throw new HilumError('STORE_AMBIGUOUS', 'ambiguous', 'no answer');
  };
  await expect(run()).rejects.toMatchObject({ code: 'STORE_NOT_CONFIRMED', lasting: 'transient' });
  expect(announcer.events).toEqual([]);
});

test('a refusal of an object that another worker has stored meanwhile is no failure; any other one is', async () => {
  const { archive, run, announcer } = setUp();
  const refuse = () => {
    throw new HilumError('STORE_FAILED', 'permanent', 'there is one already (0xB00E)');
  };
  archive.afterStore = refuse;
  await run();
  expect(announcer.events).toHaveLength(1);
  const other = setUp();
  other.archive.before = (call) => void (call === 'store' && refuse());
  await expect(other.run()).rejects.toMatchObject({ code: 'STORE_FAILED', lasting: 'permanent' });
  expect(other.announcer.events).toEqual([]);
});

describe('what was stored is looked up', () => {
  const queries = (archive: MemoryArchive) => {
    const asked: (readonly string[])[] = [];
    const find = archive.findInstances.bind(archive);
    archive.findInstances = (study: Uid, wanted: readonly Uid[] = []) => (asked.push(wanted), find(study));
    return asked;
  };
  const results = (archive: MemoryArchive) =>
    [...archive.objects.values()]
      .filter(({ reference }) => reference.modality !== 'CR')
      .map(({ reference }) => reference.sopInstanceUid);

  test('an ordinary study of one film costs a query, a retrieval, two stores and a query', async () => {
    const { archive, run } = setUp();
    const asked: string[] = [];
    archive.before = (call) => void asked.push(call);
    await run();
    expect(asked).toEqual(['find', 'retrieve', 'store', 'store', 'find']);
  });

  test('one whose instances were listed a moment ago begins with the retrieval', async () => {
    const { archive, references, announcer, run } = setUp();
    const asked: string[] = [];
    archive.before = (call) => void asked.push(call);
    await run(false, { instances: references });
    expect(asked).toEqual(['retrieve', 'store', 'store', 'find']);
    expect(announcer.events).toHaveLength(1);
  });

  test('by one query for all films of a run, before the result is announced', async () => {
    const { archive, announcer, run } = setUp(TWO_FILMS);
    const asked = queries(archive);
    archive.before = () => {
      expect(announcer.events).toEqual([]);
    };
    await run();
    expect(asked).toEqual([[], results(archive)]);
  });

  test('where an object is not there although the archive named it as stored, nothing is announced', async () => {
    const { archive, announcer, run } = setUp(TWO_FILMS);
    archive.afterStore = (uid) => void (archive.calls.store === 3 && archive.objects.delete(uid));
    await expect(run()).rejects.toMatchObject({ code: 'STORE_NOT_CONFIRMED', lasting: 'transient' });
    expect(announcer.events).toEqual([]);
  });

  test('also where the study is returned between two films', async () => {
    const { archive, run } = setUp(TWO_FILMS);
    const asked = queries(archive);
    await expect(run(false, { shouldReturn: () => true })).rejects.toMatchObject({ code: 'STUDY_RETURNED' });
    expect(asked).toEqual([[], results(archive)]);
    const lost = setUp(TWO_FILMS);
    lost.archive.afterStore = (uid) => void lost.archive.objects.delete(uid);
    await expect(lost.run(false, { shouldReturn: () => true })).rejects.toMatchObject({ code: 'STORE_NOT_CONFIRMED' });
  });

  test('and where another film failed for good', async () => {
    const { archive, references, run } = setUp(TWO_FILMS);
    const asked = queries(archive);
    archive.before = (call, uid) => {
      if (call === 'retrieve' && uid === references[1]!.sopInstanceUid)
        throw new HilumError('NOT_FOUND', 'permanent', 'deleted');
    };
    await expect(run()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(asked).toEqual([[], results(archive)]);
  });
});

test('a heat map is never there without its report for good, and never the other way round', async () => {
  const { archive, run, references, pipeline } = setUp();
  const uids = resultUids(references[0]!.studyInstanceUid, references[0]!.sopInstanceUid, pipeline.identity());
  archive.before = (call, uid) => {
    if (call === 'store' && uid === uids.report.instance)
      throw new HilumError('ARCHIVE_UNAVAILABLE', 'transient', 'full');
  };
  await expect(run()).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
  expect(archive.objects.has(uids.heatMap.instance)).toBe(true);
  const sent: string[] = [];
  archive.before = (call, uid) => void (call === 'store' && sent.push(uid));
  await run(true);
  expect(archive.objects.size).toBe(3);
  expect(sent).toEqual([uids.report.instance]);
});

describe('with all objects switched on', () => {
  const { pipeline } = fakePipeline();
  const full: Pipeline = {
    ...pipeline,
    identity: () => ({
      ...pipeline.identity(),
      objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
    }),
  };
  const FULL_SET = [
    SC,
    '1.2.840.10008.5.1.4.1.1.66.4',
    '1.2.840.10008.5.1.4.1.1.30',
    '1.2.840.10008.5.1.4.1.1.11.1',
    SR_3D,
  ];

  test('killed at any store, the next try completes the set exactly once, the report last', async () => {
    for (let at = 1; at <= 5; at++) {
      const { archive, announcer, run, references } = setUp([FILM], full);
      let n = 0;
      archive.before = (kind) => {
        if (kind === 'store' && ++n === at) throw new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'gone');
      };
      await expect(run()).rejects.toMatchObject({ lasting: 'transient' });
      expect(classes(archive)).not.toContain(SR_3D);
      archive.before = () => {};
      await run(true);
      expect([...archive.objects.values()].map(({ reference }) => reference.sopClassUid)).toEqual([
        references[0]!.sopClassUid,
        ...FULL_SET,
      ]);
      expect(announcer.events[0]!.films[0]!.outputs.map(({ sopClassUid }) => sopClassUid)).toEqual(FULL_SET);
      expect(announcer.events[0]!.skipped).toEqual([]);
    }
  });

  test('our own results are nothing new, and read back they are the same', async () => {
    const { announcer, run } = setUp([FILM], full);
    const first = await run();
    expect(await run()).toBeNull();
    expect((await run(true))!.films).toEqual(first!.films);
    expect(announcer.events).toHaveLength(2);
  });

  test('switched on later, films that have a report are left alone; read anew on request, they get what is missing and a report that names it', async () => {
    const { archive, run } = setUp();
    await run();
    expect(await run(false, { pipeline: full })).toBeNull();
    const sent: string[] = [];
    archive.before = (call, uid) => void (call === 'store' && sent.push(uid));
    await run(false, { pipeline: full, reanalyze: true });
    expect(sent.map((uid) => archive.objects.get(uid)!.reference.sopClassUid)).toEqual(FULL_SET.slice(1));
    expect(await run(false, { pipeline: full })).toBeNull();
  });
});

test('a film that arrives later in an old study is analysed then, and the event tells of both', async () => {
  const { archive, announcer, study, run } = setUp();
  await run();
  const late = archive.put(syntheticDicom({ seed: 2, view: 'AP', rows: 280, columns: 240, studyInstanceUid: study }));
  await run();
  expect(announcer.events).toHaveLength(2);
  expect(announcer.events[1]!.films).toHaveLength(2);
  expect(announcer.events[1]!.films[0]!.sopInstanceUid).toBe(late.sopInstanceUid);
  expect(archive.objects.size).toBe(6);
});

describe('after an upgrade of Hilum', () => {
  const { pipeline } = fakePipeline();
  const upgraded: Pipeline = {
    ...pipeline,
    identity: () => ({
      ...pipeline.identity(),
      models: pipeline.identity().models.map((model) => ({ ...model, version: '2.0.0' })),
    }),
  };
  const left = { pipeline: upgraded };
  const anew = { pipeline: upgraded, reanalyze: true };

  test('a film with a report of another version is left alone, whoever tells of it; an event that asks for it has it read anew', async () => {
    const { archive, announcer, run } = setUp();
    await run();
    expect(await run(false, left)).toBeNull();
    expect(await run(true, left)).toBeNull();
    expect([archive.objects.size, announcer.events.length]).toEqual([3, 1]);
    await run(false, anew);
    expect([archive.objects.size, announcer.events.length]).toEqual([5, 2]);
    expect(await run(false, anew)).toBeNull();
    expect([archive.objects.size, announcer.events.length]).toEqual([5, 2]);
  });

  test('a new film beside it is read and both are told, even when the first try died before it said so', async () => {
    const { archive, announcer, references, run, study } = setUp();
    await run();
    const late = archive.put(syntheticDicom({ seed: 1, view: 'AP', rows: 280, columns: 240, studyInstanceUid: study }));
    announcer.fail = true;
    await expect(run(false, left)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
    announcer.fail = false;
    const event = await run(true, left);
    expect(event!.films.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([
      late.sopInstanceUid,
      references[0]!.sopInstanceUid,
    ]);
    expect(event!.films.map(({ outcome, outputs }) => [outcome, outputs.length])).toEqual([
      ['analysed', 2],
      ['analysed', 2],
    ]);
    expect(archive.objects.size).toBe(1 + 2 + 1 + 2);
  });

  test('what another version found urgent stays urgent when a new film is not', async () => {
    const { archive, announcer, run, study } = setUp([FILM], fakePipeline({ probability: 0.9 }).pipeline);
    await run();
    archive.put(syntheticDicom({ seed: 1, view: 'AP', rows: 280, columns: 240, studyInstanceUid: study }));
    const calm = fakePipeline({ probability: 0.1 }).pipeline;
    await run(false, { pipeline: { ...calm, identity: upgraded.identity } });
    expect(announcer.events[1]!.films.map(({ probability }) => Number(probability?.toFixed(3)))).toEqual([0.1, 0.9]);
    expect(announcer.events[1]!.priority).toBe('urgent');
  });

  test('a structured report by somebody else, or one that was deleted, is no result of ours', async () => {
    const { archive, run } = setUp();
    await run();
    const report = [...archive.objects.values()].find(({ reference }) => reference.modality === 'SR')!;
    archive.before = (call, uid) => {
      if (call === 'retrieve' && uid === report.reference.sopInstanceUid)
        throw new HilumError('NOT_FOUND', 'permanent', 'deleted');
    };
    await run(false, left);
    expect(archive.objects.size).toBe(5);
    const foreign = setUp();
    foreign.archive.objects.set('1.2.9', {
      reference: { ...report.reference, sopInstanceUid: parseUid('1.2.9') },
      bytes: FILM,
    });
    await foreign.run();
    expect(foreign.archive.objects.size).toBe(1 + 1 + 2);
  });
});

describe('returned between two films', () => {
  const three = () => {
    const made = setUp();
    for (const instance of [2, 3])
      made.archive.put(
        syntheticDicom({ seed: 1, view: 'PA', rows: 280, columns: 240, instance, studyInstanceUid: made.study }),
      );
    return made;
  };

  test('each run does at least one film, nothing is done twice, and the last one announces all', async () => {
    const { archive, announcer, run } = three();
    const sizes: number[] = [];
    for (const redelivered of [false, true]) {
      await expect(run(redelivered, { shouldReturn: () => true })).rejects.toMatchObject({ code: 'STUDY_RETURNED' });
      sizes.push(archive.objects.size);
    }
    expect(announcer.events).toEqual([]);
    const event = await run(true, { shouldReturn: () => true });
    expect([...sizes, archive.objects.size]).toEqual([5, 7, 9]);
    expect(announcer.events).toHaveLength(1);
    expect(event!.films).toHaveLength(3);
    expect(new Set(event!.films.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(3);
    expect(archive.calls.store).toBe(6);
  });

  test('shouldReturn is asked neither before the first film nor after the last', async () => {
    const { run } = three();
    let asked = 0;
    await run(false, { shouldReturn: () => ++asked > 99 });
    expect(asked).toBe(2);
  });

  test('a film that gets no report does not count as done: the study does not go round for ever', async () => {
    const { archive, references, run } = three();
    const first = references[0]!.sopInstanceUid;
    archive.before = (call, uid) => {
      if (call === 'retrieve' && uid === first)
        throw new HilumError('DICOM_UNREADABLE', 'permanent', 'larger than 512 MiB');
    };
    await expect(run(false, { shouldReturn: () => true })).rejects.toMatchObject({
      code: 'STUDY_RETURNED',
      message: expect.stringContaining('1 of 3') as string,
    });
    expect(archive.objects.size).toBe(5);
    const event = await run(true, { shouldReturn: () => true });
    expect(event!.films.map(({ outcome }) => outcome)).toEqual(['rejected', 'analysed', 'analysed']);
  });
});

test('a lateral film is not analysed: a report says so, without heat map, probability or priority', async () => {
  const { archive, announcer, run } = setUp([FILM], fakePipeline({ lateral: 0.99 }).pipeline);
  await run();
  expect(announcer.events[0]).toMatchObject({
    priority: null,
    films: [{ outcome: 'not-analysed', reason: 'lateral-view', probability: null, view: 'lateral' }],
  });
  expect(classes(archive)).toHaveLength(2);
  expect(classes(archive)).toContain(SR_3D);
});

test('what does not look like the films of the training is not analysed: the report says so, and no later network is asked', async () => {
  const { pipeline, seen } = fakePipeline({ outOfDistribution: 0.5 });
  const { archive, announcer, run } = setUp([FILM], pipeline);
  await run();
  expect(announcer.events[0]!.films[0]).toMatchObject({
    outcome: 'not-analysed',
    reason: 'unlike-training-films',
    view: 'frontal',
    lungFraction: null,
  });
  expect(classes(archive)).toContain(SR_3D);
  expect(seen).toEqual([]);
});

test('below the operating point, and without the check, it is analysed', async () => {
  const { pipeline } = fakePipeline({ outOfDistribution: 0.99 });
  for (const open of [
    fakePipeline({ outOfDistribution: 0.499 }).pipeline,
    { ...pipeline, models: { ...pipeline.models, outOfDistribution: null } },
  ]) {
    const { announcer, run } = setUp([FILM], open);
    await run();
    expect(announcer.events[0]!.films[0]).toMatchObject({ outcome: 'analysed' });
  }
});

test('lungs that can not be lungs stop the analysis', async () => {
  const { announcer, run } = setUp([FILM], fakePipeline({ lungs: new Float32Array(56 * 56) }).pipeline);
  await run();
  expect(announcer.events[0]!.films[0]).toMatchObject({
    outcome: 'not-analysed',
    reason: 'implausible-lungs',
    lungFraction: 0,
  });
});

test('the classifier sees the lungs only', async () => {
  const { pipeline, seen } = fakePipeline();
  await setUp([FILM], pipeline).run();
  const outside = [...seen[0]!.values].filter((_value, i) => i % 56 === 0 || i < 56);
  expect(new Set(outside)).toEqual(new Set([0]));
  expect(seen[0]!.values.some((value) => value > 0)).toBe(true);
});

test('nothing speaks for the class: the map is empty, the region that was looked at are the lungs, the priority is routine', async () => {
  const { announcer, archive, run } = setUp(
    [FILM],
    fakePipeline({ probability: 0.02, cam: new Float32Array(196).fill(-1) }).pipeline,
  );
  await run();
  expect(announcer.events[0]!.priority).toBe('routine');
  expect(archive.objects.size).toBe(3);
});

test('a film that was deleted meanwhile does not hold up the others, and is told', async () => {
  const { archive, run, study } = setUp([FILM]);
  const second = archive.put(syntheticDicom({ seed: 3, view: 'PA', rows: 280, columns: 240, studyInstanceUid: study }));
  archive.before = (call, uid) => {
    if (call === 'retrieve' && uid !== second.sopInstanceUid) throw new HilumError('NOT_FOUND', 'permanent', 'deleted');
  };
  await expect(run()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(archive.objects.size).toBe(4);
});

test('a film that is too large to be read is told, and the study still has its result', async () => {
  const { archive, announcer, run } = setUp();
  archive.before = (call) => {
    if (call === 'retrieve') throw new HilumError('DICOM_UNREADABLE', 'permanent', 'larger than 512 MiB');
  };
  await run();
  expect(announcer.events[0]!.films[0]).toMatchObject({ outcome: 'rejected', reason: 'unreadable' });
});

describe('an archive that shows nothing of the study', () => {
  const NOTHING = parseUid('2.25.404');

  test('is asked twice more, then the study is gone: nothing is announced', async () => {
    const { archive, announcer, pipeline } = setUp();
    let asked = 0;
    archive.before = (call) => void (asked += call === 'find' ? 1 : 0);
    const result = await runStudyHere(NOTHING, { redelivered: false, emptyDelaysMs: [1, 1] }, pipeline, {
      archive,
      announcer,
    });
    expect(result).toBe('gone');
    expect(asked).toBe(3);
    expect(announcer.events).toEqual([]);
  });

  test('that shows it at a later look: it is a study like others', async () => {
    const { archive, announcer, study, pipeline } = setUp();
    let asked = 0;
    const late = {
      findInstances: async (uid: typeof study) => (++asked < 3 ? [] : archive.findInstances(uid)),
      retrieve: archive.retrieve.bind(archive),
      store: archive.store.bind(archive),
    };
    const ports = { archive: late, announcer };
    expect(await runStudyHere(study, { redelivered: false, emptyDelaysMs: [1, 1] }, pipeline, ports)).toMatchObject({
      films: [{ outcome: 'analysed' }],
    });
  });
});

describe('what is no film of an adult patient', () => {
  const film = (attributes: Record<string, unknown>) =>
    syntheticDicom({ seed: 1, view: 'PA', rows: 280, columns: 240, attributes });

  test('an object without a picture is not even retrieved: no report, and the series is left alone', async () => {
    const { archive, announcer, run } = setUp([film({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.11.1' })]);
    await run();
    expect(announcer.events[0]).toMatchObject({
      films: [],
      priority: null,
      skipped: [{ modality: 'CR', instances: 1 }],
    });
    expect(archive.calls).toMatchObject({ retrieve: 0, store: 0 });
  });

  test('the result of another product has neither report nor priority', async () => {
    const overlay = film({ ImageType: ['DERIVED', 'SECONDARY'], SeriesDescription: 'AI result' });
    const { archive, announcer, run } = setUp([overlay]);
    await run();
    expect(announcer.events[0]).toMatchObject({
      priority: null,
      films: [{ outcome: 'rejected', reason: 'derived-result', outputs: [] }],
    });
    expect(archive.calls.store).toBe(0);
  });

  test.each([
    [{ QualityControlImage: 'YES' }, 'quality-control-image'],
    [{ PatientSpeciesDescription: 'Canine' }, 'not-human'],
    [{ PatientAge: '012Y' }, 'below-minimum-age'],
  ])('%j: a report says why', async (attributes, reason) => {
    const { archive, announcer, run } = setUp([film(attributes)]);
    await run();
    expect(announcer.events[0]).toMatchObject({ priority: null, films: [{ outcome: 'not-analysed', reason }] });
    expect(classes(archive)).toContain(SR_3D);
  });

  test('the site may have every age analysed', async () => {
    const { announcer, run } = setUp([film({ PatientAge: '012Y' })], { ...fakePipeline().pipeline, minimumAge: 0 });
    await run();
    expect(announcer.events[0]!.films[0]).toMatchObject({ outcome: 'analysed' });
  });
});

test('a header that contradicts itself: the picture decides, and the result says so, also when it is read back', async () => {
  const skull = syntheticDicom({
    seed: 1,
    view: 'PA',
    rows: 280,
    columns: 240,
    attributes: { BodyPartExamined: 'SKULL' },
  });
  const { announcer, run } = setUp([skull]);
  await run();
  await run(true);
  for (const event of announcer.events)
    expect(event.films[0]).toMatchObject({ outcome: 'analysed', warnings: ['body-part-conflict'] });
  const refused = setUp([skull], fakePipeline({ outOfDistribution: 0.99 }).pipeline);
  await refused.run();
  expect(refused.announcer.events[0]!.films[0]).toMatchObject({ reason: 'unlike-training-films' });
  expect(announcer.events).toHaveLength(2);
});

test('a header that says nothing: the report has a remark, the result no warning', async () => {
  const silent = { BodyPartExamined: 'UNKNOWN', SeriesDescription: '', StudyDescription: '' };
  const { archive, announcer, run } = setUp([
    syntheticDicom({ seed: 1, view: 'PA', rows: 280, columns: 240, attributes: silent }),
  ]);
  await run();
  expect(announcer.events[0]!.films[0]).not.toHaveProperty('warnings');
  const [report] = [...archive.objects.values()].filter(({ reference }) => reference.sopClassUid === SR_3D);
  expect(Buffer.from(report!.bytes).toString('latin1')).toContain(BODY_PART_UNCLEAR);
});
