import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { HilumError } from '../../src/base/errors';
import { deriveUid, type Uid } from '../../src/dicom/uid';
import type { Step } from '../../src/events/progress-event';
import type { ResultEvent } from '../../src/events/result-event';
import type { FilmHeader } from '../../src/sinks/load-record';
import { AttributeWatch, type ListedStudy } from '../../src/worklist/attribute-watch';
import { refreshAttributes } from '../../src/worklist/attribute-refresh';
import { type Database, openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { recordingLog } from '../support/records/logs';
import { filmRecord, studyRecord } from '../support/records/study-record';

const uid = (name: string): Uid => deriveUid(['study', name]);
const AWAY = new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'away');
const REFUSED = new HilumError('ARCHIVE_REFUSED', 'permanent', 'no');
const waiting: Step = { kind: 'waiting', priority: null };

/** What an archive has of some studies, and what it was asked. */
class FakeArchive {
  readonly asked: string[] = [];
  readonly headers = new Map<string, FilmHeader>();
  failure: Error | null = null;
  /** What a search says otherwise than the film. */
  listed: Partial<FilmHeader> = {};

  has(name: string, change: Partial<FilmHeader> = {}): void {
    const { patient, study, order } = studyRecord(name);
    const more = { Modality: 'DX', ViewPosition: 'PA', sopClassUid: null };
    this.headers.set(uid(name), { ...patient, ...study, ...order, ...more, ...change });
  }

  async describe({ studyInstanceUid }: { studyInstanceUid: Uid }): Promise<FilmHeader | null> {
    this.asked.push(`film ${studyInstanceUid}`);
    if (this.failure !== null) throw this.failure;
    return this.headers.get(studyInstanceUid) ?? null;
  }

  async findStudySummary(study: Uid): Promise<FilmHeader | null> {
    this.asked.push(`study ${study}`);
    if (this.failure !== null) throw this.failure;
    return this.headers.get(study) ?? null;
  }

  async *sweep(): AsyncGenerator<readonly ListedStudy[]> {
    for (const [study, header] of this.headers) yield [{ ...header, ...this.listed, studyInstanceUid: study as Uid }];
  }
}

const dir = mkdtempSync(join(tmpdir(), 'hilum-watch-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;

let database: Database;
let worklist: Worklist;
let archive: FakeArchive;
let announced: ResultEvent[];
let announceFailure: Error | null;
let watches: AttributeWatch[];
let log: ReturnType<typeof recordingLog>;
beforeEach(() => {
  database = openDatabase(`file:${join(dir, `${count++}.db`)}`, createLog('silent'));
  worklist = new Worklist(database);
  archive = new FakeArchive();
  [announced, announceFailure, watches, log] = [[], null, [], recordingLog()];
});
afterEach(async () => {
  for (const watch of watches) await watch.stop();
  await database.close();
});

function watching({ sweeps = false, shadow = false, everyMs = 20, cachedArchive = archive } = {}): AttributeWatch {
  const announce = async (event: ResultEvent) => {
    if (announceFailure !== null) throw announceFailure;
    announced.push(event);
  };
  const watch = new AttributeWatch(
    {
      worklist,
      archive,
      cachedArchive,
      announce: shadow ? null : announce,
      sweep: sweeps ? () => archive.sweep() : null,
      log,
    },
    { intervalMs: everyMs, announceMs: 20 },
  );
  watches.push(watch);
  watch.start();
  return watch;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await what());) {
    if (Date.now() > end) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const patientOf = async (name: string) => (await worklist.study(uid(name)))?.row.patient.PatientID;
const logged = (event: string) => log.lines.filter(({ fields }) => fields.event === event);

test('at an event the header that triage read is used; for what a sweep finds the archive is asked', async () => {
  await worklist.record(studyRecord('a'));
  archive.has('a');
  const cachedArchive = new FakeArchive();
  cachedArchive.has('a');
  const watch = watching({ sweeps: true, cachedArchive });
  watch.note({ studyInstanceUid: uid('a'), step: waiting });
  await until(() => cachedArchive.asked.length > 0);
  expect(archive.asked).toEqual([]);
  archive.has('a', { PatientID: 'RIGHT' });
  await until(async () => (await patientOf('a')) === 'RIGHT');
  expect(cachedArchive.asked).toEqual([`film ${uid('a')}`]);
});

test.each<Step>([waiting, { kind: 'nothing-new' }])(
  'at the event %j the list follows and the result is announced once, without the patient',
  async (step) => {
    await worklist.record(studyRecord('a'));
    archive.has('a', { PatientID: 'RIGHT', PatientName: 'Right^Rita' });
    const watch = watching();
    watch.note({ studyInstanceUid: uid('a'), step });
    await until(() => logged('list.correction-announced').length > 0);
    expect(await patientOf('a')).toBe('RIGHT');
    watch.note({ studyInstanceUid: uid('a'), step });
    await until(() => archive.asked.length === 2);
    await watch.stop();
    expect(archive.asked).toEqual([`film ${uid('a')}`, `film ${uid('a')}`]);
    expect(announced).toEqual([
      expect.objectContaining({
        studyInstanceUid: uid('a'),
        priority: 'urgent',
        completedAt: studyRecord('a').completedAt,
        correction: { corrects: ['patient'], correctedAt: expect.any(String) as string },
      }),
    ]);
    expect(logged('list.attributes-corrected').map(({ fields }) => fields['attributes'])).toEqual([
      ['PatientID', 'PatientName'],
    ]);
    expect(JSON.stringify([announced, log.lines])).not.toMatch(/RIGHT|Rita/);
  },
);

test('other steps, and studies that the list does not have, ask for nothing', async () => {
  archive.has('a');
  const watch = watching();
  watch.note({ studyInstanceUid: uid('a'), step: { kind: 'analysing', attempt: 1 } });
  watch.note({ studyInstanceUid: uid('a'), step: waiting });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(archive.asked).toEqual([]);
});

test('the sweep finds what no event told of, and asks for a film only where list and search differ', async () => {
  for (const name of ['a', 'b', 'gone']) await worklist.record(studyRecord(name));
  archive.has('a');
  archive.has('b', { PatientBirthDate: '19500204' });
  archive.has('unknown');
  watching({ sweeps: true });
  await until(() => announced.length > 0);
  expect(archive.asked).toEqual([`film ${uid('b')}`]);
  expect((await worklist.study(uid('b')))!.row.patient.PatientBirthDate).toBe('19500204');
  expect(await patientOf('gone')).toBe('ID-gone');
});

test('a search that says for ever what the film does not costs one look', async () => {
  await worklist.record(studyRecord('a'));
  archive.has('a');
  archive.listed = { PatientName: 'Another^Form' };
  watching({ sweeps: true, everyMs: 1 });
  await until(() => archive.asked.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(archive.asked).toEqual([`film ${uid('a')}`]);
  archive.listed = { StudyDescription: '', PatientName: studyRecord('a').patient.PatientName };
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(archive.asked).toHaveLength(1);
  expect(announced).toEqual([]);
});

test('a row without a result follows what the search lists; nothing is announced', async () => {
  await worklist.advance(uid('a'), waiting);
  archive.has('a', { PatientID: 'RIGHT' });
  watching({ sweeps: true });
  await until(async () => (await patientOf('a')) === 'RIGHT');
  expect(archive.asked).toContain(`study ${uid('a')}`);
  expect(announced).toEqual([]);
});

test('a broker that is away, or a process that ends in between, loses no announcement', async () => {
  await worklist.record(studyRecord('a'));
  archive.has('a', { PatientID: 'RIGHT' });
  announceFailure = new HilumError('BROKER_UNREACHABLE', 'transient', 'away');
  const first = watching();
  first.note({ studyInstanceUid: uid('a'), step: waiting });
  await until(() => logged('list.correction-failed').length > 0);
  await first.stop();
  expect(announced).toEqual([]);
  announceFailure = null;
  watching();
  await until(() => announced.length > 0);
  await until(async () => (await worklist.pendingCorrections()).length === 0);
});

test('in shadow mode the list follows and nothing is announced before the mode is live', async () => {
  await worklist.record(studyRecord('a'));
  archive.has('a', { PatientID: 'RIGHT' });
  watching({ shadow: true }).note({ studyInstanceUid: uid('a'), step: waiting });
  await until(async () => (await patientOf('a')) === 'RIGHT');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(announced).toEqual([]);
  expect(await worklist.pendingCorrections()).toHaveLength(1);
});

test('an archive that is away is told of once; a study that it refuses holds up no other', async () => {
  for (const name of ['a', 'b']) await worklist.record(studyRecord(name));
  archive.has('a', { PatientID: 'RIGHT' });
  archive.failure = AWAY;
  const watch = watching();
  for (const [i, name] of ['a', 'b', 'a'].entries()) {
    watch.note({ studyInstanceUid: uid(name), step: waiting });
    await until(() => archive.asked.length === i + 1);
  }
  await until(() => logged('list.correction-failed').length > 0);
  expect(logged('list.correction-failed')).toHaveLength(1);
  expect(await patientOf('a')).toBe('ID-a');
  archive.failure = null;
  archive.headers.clear();
  archive.has('b', { PatientID: 'OTHER' });
  archive.has('a', { PatientID: 'RIGHT' });
  const describe = archive.describe.bind(archive);
  archive.describe = (film) => (film.studyInstanceUid === uid('b') ? Promise.reject(REFUSED) : describe(film));
  watching({ sweeps: true });
  await until(async () => (await patientOf('a')) === 'RIGHT');
  expect(await patientOf('b')).toBe('ID-b');
});

test('a film that was deleted: the next one tells; an answer that is no header of a film corrects nothing', async () => {
  const films = ['x', 'y'].map((name) => filmRecord(name));
  await worklist.record(studyRecord('a', { films }));
  archive.has('a', { PatientID: 'RIGHT' });
  const [gone] = films;
  const describe = archive.describe.bind(archive);
  const deleted = (film: { studyInstanceUid: Uid; sopInstanceUid: Uid }) =>
    film.sopInstanceUid === gone!.sopInstanceUid ? Promise.resolve(null) : describe(film);
  expect(
    await refreshAttributes(uid('a'), { worklist, archive: { describe: deleted, findStudySummary: async () => null } }),
  ).toEqual(['PatientID']);
  archive.has('a', { PatientID: '', Modality: '' });
  expect(await refreshAttributes(uid('a'), { worklist, archive })).toEqual([]);
  expect(await patientOf('a')).toBe('RIGHT');
});
