import { HilumError } from '../../src/base/errors';
import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { readReport } from '../../src/objects/report-reader';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import { validateObject } from '../../src/objects/validate';
import { encode } from '../../src/pipeline/encode';
import { analyseFilm, type Pipeline } from '../../src/pipeline/pipeline';
import type { StudyRun } from '../../src/pipeline/study';
import { noteUid, rejectionNote } from '../support/films/rejection-note';
import { fakePipeline, MemoryAnnouncer, MemoryArchive, runKnownStudy } from '../support/pipeline/fake-pipeline';

const DRAWN = { seed: 1, view: 'PA', rows: 280, columns: 240 } as const;
const { studyInstanceUid: STUDY, sopInstanceUid: FILM } = syntheticUids(DRAWN);

function setUp(films: readonly SyntheticObject[] = [DRAWN]) {
  const archive = new MemoryArchive();
  const announcer = new MemoryAnnouncer();
  const references = films.map((drawn) => archive.put(syntheticDicom(drawn)));
  const reject = (title: string, rejected: Parameters<typeof rejectionNote>[1] = references) =>
    archive.put(rejectionNote(title, rejected));
  const takeBack = (title: string, rejected = references) => archive.objects.delete(noteUid(title, rejected));
  const run = ({ pipeline = fakePipeline().pipeline, ...options }: Partial<StudyRun> & { pipeline?: Pipeline } = {}) =>
    runKnownStudy(STUDY, { redelivered: false, compare: true, ...options }, pipeline, { archive, announcer });
  const reports = () =>
    [...archive.objects.values()].filter(({ reference }) => reference.modality === 'SR').map(({ bytes }) => bytes);
  return { archive, announcer, references, reject, takeBack, run, reports };
}

/** Another version of the networks, so that its reports have other UIDs. */
function otherVersion(): Pipeline {
  const { pipeline } = fakePipeline();
  const identity = () => {
    const known = pipeline.identity();
    return { ...known, models: known.models.map((model) => ({ ...model, sha256: 'b'.repeat(64) })) };
  };
  return { ...pipeline, identity };
}

test('a film that was rejected before anybody read it is not fetched, and gets no report', async () => {
  const { archive, reject, run, reports } = setUp();
  reject('113001');
  const fetched: string[] = [];
  archive.before = (call, uid) => void (call === 'retrieve' && fetched.push(uid));
  const event = await run();
  expect(event).toMatchObject({
    priority: null,
    films: [{ sopInstanceUid: FILM, outcome: 'rejected', reason: 'rejected-for-quality', outputs: [] }],
  });
  expect(event!.films[0]).not.toHaveProperty('supersedes');
  expect(fetched).not.toContain(FILM);
  expect(reports()).toEqual([]);
});

test.each([
  ['113001', 'rejected-for-quality'],
  ['113037', 'rejected-for-patient-safety'],
  ['113038', 'incorrect-worklist-entry'],
  ['113039', 'retention-expired'],
])('rejected afterwards (%s): the result is withdrawn by a report that names the one before', async (title, reason) => {
  const { run, reject, reports, announcer } = setUp();
  const first = await run();
  expect(first!.priority).toBe('urgent');
  reject(title);
  const second = await run();
  const report = first!.films[0]!.outputs.at(-1)!.sopInstanceUid;
  expect(second).toMatchObject({
    priority: null,
    films: [{ sopInstanceUid: FILM, outcome: 'not-analysed', reason, probability: null, supersedes: [report] }],
  });
  expect(second!.films[0]!.outputs).toHaveLength(1);
  const written = reports();
  expect(written).toHaveLength(2);
  expect(validateObject(written[1]!)).toEqual([]);
  const { attributes } = readPart10(written[1]!);
  expect(attributes).toMatchObject({
    PatientID: readPart10(written[0]!).attributes.PatientID,
    StudyInstanceUID: STUDY,
  });
  expect(readReport(written[1]!)).toMatchObject({ sopInstanceUid: FILM, reason, links: { film: FILM } });
  // Nothing new from now on, however often it is looked at.
  expect(await run()).toBeNull();
  expect(await run({ reanalyze: true })).toBeNull();
  expect(announcer.events).toHaveLength(2);
  expect(await run({ redelivered: true })).toMatchObject({ films: [{ reason, supersedes: [report] }] });
});

test('a film that the archive hides once it is rejected: its result is withdrawn all the same', async () => {
  const { archive, run, reject, reports } = setUp();
  await run();
  reject('113037');
  archive.objects.delete(FILM);
  const event = await run();
  expect(event!.films).toEqual([
    expect.objectContaining({ sopInstanceUid: FILM, reason: 'rejected-for-patient-safety' }),
  ]);
  expect(reports()).toHaveLength(2);
  expect(await run({ redelivered: true })).toMatchObject({ films: [{ reason: 'rejected-for-patient-safety' }] });
  expect(reports()).toHaveLength(2);
});

test('of two films one is rejected: the other keeps its result, which decides the priority', async () => {
  const other = { ...DRAWN, instance: 2 };
  const { run, reject, references } = setUp([DRAWN, other]);
  await run();
  reject('113001', [references[1]!]);
  const event = await run();
  expect(event!.priority).toBe('urgent');
  expect(event!.films.map(({ outcome, reason }) => [outcome, reason])).toEqual(
    expect.arrayContaining([
      ['analysed', null],
      ['not-analysed', 'rejected-for-quality'],
    ]),
  );
});

test('a note that is taken back: the film is read again, and its new result names the withdrawal', async () => {
  const { run, reject, takeBack, reports } = setUp();
  await run();
  reject('113001');
  const withdrawn = await run();
  takeBack('113001');
  const again = await run();
  expect(again!.priority).toBe('urgent');
  expect(again!.films[0]!.supersedes).toContain(withdrawn!.films[0]!.outputs[0]!.sopInstanceUid);
  expect(reports()).toHaveLength(3);
  expect(await run()).toBeNull();
});

test('two notes on one film: what says most about the patient counts, once', async () => {
  const { run, reject, reports } = setUp();
  await run();
  reject('113039');
  reject('113038');
  expect((await run())!.films[0]!.reason).toBe('incorrect-worklist-entry');
  expect(await run()).toBeNull();
  expect(reports()).toHaveLength(2);
});

test('a note on our own objects, one that can not be read, and one with another title change nothing', async () => {
  const { archive, run, reject, reports } = setUp();
  const first = await run();
  const outputs = first!.films[0]!.outputs.map((output) => ({ ...output, studyInstanceUid: STUDY }));
  reject('113001', outputs);
  reject('113000');
  const broken = reject('113037');
  archive.objects.set(broken.sopInstanceUid, { reference: broken, bytes: Buffer.from('damaged') });
  const unread: string[][] = [];
  expect(await run({ onUnreadNote: (...note) => void unread.push(note) })).toBeNull();
  expect(unread).toEqual([[broken.sopInstanceUid, 'unreadable']]);
  expect(reports()).toHaveLength(1);
});

test('killed between the report of a withdrawal and its announcement: told at the next try, written once', async () => {
  const { announcer, run, reject, reports } = setUp();
  await run();
  reject('113001');
  announcer.fail = true;
  await expect(run()).rejects.toThrow(HilumError);
  announcer.fail = false;
  expect(await run({ redelivered: true })).toMatchObject({
    priority: null,
    films: [{ reason: 'rejected-for-quality' }],
  });
  expect(reports()).toHaveLength(2);
});

test('notes beyond a number and a size are left alone, and told of', async () => {
  const { archive, run, reject } = setUp();
  const { reference, bytes } = archive.objects.get(reject('113001').sopInstanceUid)!;
  archive.objects.set(reference.sopInstanceUid, { reference, bytes: Buffer.concat([bytes, Buffer.alloc(2 ** 24)]) });
  // After the note's own, in the order of UIDs.
  const others = Array.from({ length: 200 }, (_, index) =>
    parseUid(`${reference.sopInstanceUid.slice(0, 40)}9${1000 + index}`),
  );
  for (const sopInstanceUid of others)
    archive.objects.set(sopInstanceUid, { reference: { ...reference, sopInstanceUid }, bytes: Buffer.from('') });
  const unread: (readonly [string, string])[] = [];
  const event = await run({ onUnreadNote: (instance, why) => void unread.push([instance, why]) });
  expect(event!.films[0]!.outcome).toBe('analysed');
  expect(unread).toContainEqual([reference.sopInstanceUid, 'too-large']);
  expect(unread).toContainEqual([others.at(-1), 'too-many']);
  expect(unread.filter(([, why]) => why === 'unreadable')).toHaveLength(199);
});

test.each([
  ['damaged', Buffer.from('damaged')],
  ['not given out', null],
])('a note that is listed and %s does not bring a withdrawn result back', async (_, bytes) => {
  const { archive, run, reject, takeBack } = setUp();
  await run();
  const note = reject('113038');
  await run();
  const { reference, bytes: whole } = archive.objects.get(note.sopInstanceUid)!;
  archive.before = (call, uid) => {
    if (bytes === null && call === 'retrieve' && uid === note.sopInstanceUid)
      throw new HilumError('NOT_FOUND', 'permanent', 'no such instance');
  };
  archive.objects.set(note.sopInstanceUid, { reference, bytes: bytes ?? whole });
  expect(await run()).toBeNull();
  expect(await run({ reanalyze: true })).toBeNull();
  takeBack('113038');
  expect((await run())!.priority).toBe('urgent');
});

test('an archive that is away while a note is read: nothing is told, and the study is tried again', async () => {
  const { archive, announcer, run, reject } = setUp();
  await run();
  const note = reject('113001');
  archive.before = (call, uid) => {
    if (call === 'retrieve' && uid === note.sopInstanceUid)
      throw new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'away');
  };
  await expect(run()).rejects.toMatchObject({ lasting: 'transient' });
  expect(announcer.events).toHaveLength(1);
});

test('a note that names the film in another study rejects nothing here', async () => {
  const { run, reject, references } = setUp();
  await run();
  reject('113001', [{ ...references[0]!, sopInstanceUid: parseUid('2.25.5') }]);
  reject('113038', [
    { ...references[0]!, sopInstanceUid: parseUid('2.25.6') },
    { ...references[0]!, studyInstanceUid: parseUid('2.25.7') },
  ]);
  expect(await run()).toBeNull();
});

test('an event that asks for no comparison: the note counts all the same', async () => {
  const { run, reject } = setUp();
  await run();
  reject('113001');
  expect(await run({ compare: false })).toMatchObject({ films: [{ reason: 'rejected-for-quality' }] });
  expect(await run({ compare: false })).toBeNull();
});

test('rejected once more for another reason: told anew, in a chain of its own', async () => {
  const { run, reject, reports } = setUp();
  await run();
  reject('113001');
  const first = await run();
  reject('113038');
  const second = await run();
  expect(second!.films[0]).toMatchObject({ reason: 'incorrect-worklist-entry' });
  expect(second!.films[0]!.supersedes).toContain(first!.films[0]!.outputs[0]!.sopInstanceUid);
  expect(second!.films[0]!.supersedes).toHaveLength(2);
  expect(await run()).toBeNull();
  expect(reports()).toHaveLength(3);
});

test('read by version 0.1, whose reports hold no digest: withdrawn, and told again after a kill', async () => {
  const { archive, announcer, run, reject, reports } = setUp();
  const pipeline = otherVersion();
  const outcome = await analyseFilm(syntheticDicom(DRAWN), pipeline);
  const { explained } = outcome as Extract<typeof outcome, { outcome: 'analysed' }>;
  const objects = encode({ outcome: 'analysed', sopInstanceUid: parseUid(FILM), explained }, pipeline.identity());
  for (const { bytes } of objects) archive.put(bytes);
  reject('113037');
  announcer.fail = true;
  await expect(run()).rejects.toThrow(HilumError);
  announcer.fail = false;
  expect(await run({ redelivered: true })).toMatchObject({
    films: [{ reason: 'rejected-for-patient-safety', supersedes: [objects.at(-1)!.sopInstanceUid] }],
  });
  expect(await run()).toBeNull();
  expect(reports()).toHaveLength(2);
});

test('hidden, and withdrawn by another version: nothing new is said', async () => {
  const { archive, announcer, run, reject } = setUp();
  await run({ pipeline: otherVersion() });
  reject('113001');
  archive.objects.delete(FILM);
  await run({ pipeline: otherVersion() });
  expect(await run()).toBeNull();
  expect(await run({ reanalyze: true })).toBeNull();
  expect(announcer.events).toHaveLength(2);
});

test('a note that is taken back while the archive hid the film: read again once the film is back', async () => {
  const { archive, run, reject, takeBack } = setUp();
  await run();
  reject('113001');
  const hidden = archive.objects.get(FILM)!;
  archive.objects.delete(FILM);
  expect((await run())!.priority).toBeNull();
  takeBack('113001');
  archive.objects.set(FILM, hidden);
  expect((await run())!.priority).toBe('urgent');
  expect(await run()).toBeNull();
});
