import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Uid } from '../../src/dicom/uid';
import { openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { recordingLog } from '../support/records/logs';
import { hl7Receiver, type Hl7Receiver } from '../support/receivers/hl7-receiver';
import { until } from '../support/servers/servers';
import { Site, type WorkerOptions } from '../support/servers/site';

/** Patient and study attributes are corrected in a real Orthanc, under the same UIDs. */
const site = Site.forTests();
const dir = mkdtempSync(join(tmpdir(), 'hilum-corrected-'));
let hl7: Hl7Receiver;
beforeAll(async () => void (hl7 = await hl7Receiver()), 60_000);
afterAll(async () => {
  await hl7.stop();
  rmSync(dir, { recursive: true, force: true });
});

const listUrl = (name: string) => `file:${join(dir, name)}`;
const optionsOf = (name: string, more: WorkerOptions = {}): WorkerOptions => ({
  list: { enabled: true, database: listUrl(name) },
  deliveries: {
    hl7: { enabled: true, host: '127.0.0.1', port: hl7.port },
    metadata: { enabled: true, url: site.orthanc.url },
  },
  ...more,
});

const orthancId = async (study: Uid) => {
  const found = await site.ask<{ ID: string; Type: string }[]>('/tools/lookup', { method: 'POST', body: study });
  expect(found).toHaveLength(1);
  return found[0]!.ID;
};

/** As an archive does it after an ADT merge: films and our results have the new attributes. */
async function correct(study: Uid, attributes: Readonly<Record<string, string>>): Promise<void> {
  const before = (await site.stored(study)).length;
  const { ParentPatient } = await site.ask<{ ParentPatient: string }>(`/studies/${await orthancId(study)}`);
  // Orthanc 1.10 changes a Patient ID at the patient only.
  await site.ask(`/patients/${ParentPatient}/modify`, {
    method: 'POST',
    body: JSON.stringify({
      Replace: attributes,
      Keep: ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'],
      Force: true,
      KeepSource: false,
    }),
  });
  expect(await site.stored(study)).toHaveLength(before);
}

/** Messages of a study, in their order. */
const messages = (study: Uid) =>
  hl7.noted().filter(({ observations }) => observations.some(({ value }) => value[0]?.[0] === study));

const metadata = async (study: Uid) =>
  site.ask<string[]>(`/studies/${await orthancId(study)}/metadata`).then((names) => names.includes('1024'));

async function withList<T>(name: string, work: (list: Worklist) => Promise<T>): Promise<T> {
  const database = openDatabase(listUrl(name), recordingLog());
  try {
    return await work(new Worklist(database));
  } finally {
    await database.close();
  }
}

test('another patient under the same UIDs: at the next event list, search and receivers have the right one; verdict and result stay', async () => {
  const study = await site.put();
  const worker = await site.work(optionsOf('event.db'));
  await site.tell(study);
  await worker.saw('study.done', study);
  await until('the first message', () => messages(study).length === 1);
  await withList('event.db', async (list) => {
    const before = await until('it is on the list', async () => {
      const found = await list.study(study);
      return found?.row.state === 'done' && found;
    });
    await list.verdict(study, { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
    await correct(study, { PatientID: 'RIGHT', PatientName: 'Right^Rita' });
    expect(await metadata(study)).toBe(false);
    await site.tell(study);
    await worker.saw('study.nothing-new', study);
    await until('the corrected message', () => messages(study).length === 2);
    const after = (await list.study(study))!;
    expect(after.row).toMatchObject({
      state: 'done',
      priority: before.row.priority,
      findings: before.row.findings,
      patient: { PatientID: 'RIGHT', PatientName: 'Right^Rita' },
      verdict: { verdict: 'agree', ofThisResult: true },
    });
    expect(after.record).toMatchObject({ films: before.record!.films, key: before.record!.key });
    expect(after.history[0]).toMatchObject({ kind: 'attributes-corrected' });
    const find = async (search: string) =>
      (await list.page({ search, searchPatient: true, order: 'oldest', limit: 10 })).rows.map(
        ({ studyInstanceUid }) => studyInstanceUid,
      );
    expect(await find('rita right')).toEqual([study]);
    expect(await find(before.row.patient.PatientID)).toEqual([]);
  });
  const [first, second] = messages(study);
  expect(first).toMatchObject({ status: 'P' });
  expect(second).toMatchObject({ status: 'C', patientId: [['RIGHT']] });
  expect(second!.patientName[0]!.slice(0, 2)).toEqual(['Right', 'Rita']);
  expect(second!.controlId).not.toBe(first!.controlId);
  expect(new Set(second!.observations.map(({ status }) => status))).toEqual(new Set(['C']));
  // Orthanc made a new study of it, without the metadata.
  await until('the metadata are there again', () => metadata(study));

  await site.tell(study);
  await until('it was looked at again', () => worker.lines('study.nothing-new').length === 2);
  await new Promise((wait) => setTimeout(wait, 1_000));
  expect(messages(study)).toHaveLength(2);
  expect(await site.stored(study)).toEqual(['CR', 'OT', 'SR']);
  expect(JSON.stringify(worker.log.lines)).not.toMatch(/RIGHT|Rita/);
  expect(await site.dead()).toEqual([]);
}, 180_000);

test('a patient and an accession number that no event told of: the sweep finds them, and hilum rebuild', async () => {
  const today = new Date();
  const two = (value: number) => String(value).padStart(2, '0');
  const StudyDate = `${today.getFullYear()}${two(today.getMonth() + 1)}${two(today.getDate())}`;
  const study = await site.put(1, { attributes: { StudyDate, PatientID: 'WRONG' } });
  const options = optionsOf('sweep.db', { catchUp: { kind: 'dicomweb', intervalMs: 1_000 } });
  const worker = await site.work(options);
  await worker.saw('study.done', study);
  await until('the first message', () => messages(study).length === 1);
  await correct(study, { PatientID: 'SECOND' });
  expect(await worker.saw('list.attributes-corrected', study)).toMatchObject({ attributes: ['PatientID'] });
  await until('the corrected message', () => messages(study).length === 2);
  await worker.stop();

  await correct(study, { PatientID: 'THIRD', AccessionNumber: 'A-right' });
  const file = join(dir, 'hilum.json');
  // Past the proxy, which is in this process and waits while the command runs.
  const archive = { url: site.orthanc.dicomWebUrl };
  const audit = { dir: join(dir, 'rebuild-audit') };
  writeFileSync(file, JSON.stringify({ archive, broker: { url: site.rabbit.amqpUrl }, list: options.list, audit }));
  const rebuild = (...more: string[]) =>
    spawnSync(
      process.execPath,
      [resolve(__dirname, '../../dist/cli.js'), 'rebuild', '--config', file, study, ...more],
      {
        encoding: 'utf8',
      },
    );
  expect(rebuild()).toMatchObject({
    stderr: '',
    status: 0,
    stdout: expect.stringMatching(/ 1 {2}.*were corrected\n/) as string,
  });
  const trail = readFileSync(join(dir, 'rebuild-audit/audit.log'), 'utf8').trim().split('\n');
  expect(trail).toHaveLength(1);
  expect(trail[0]).toMatch(/EventActionCode="U".*csd-code="110103".*ParticipantObjectID="THIRD"/);
  expect(JSON.parse(rebuild('--all', '--json').stdout)).toEqual({ studyInstanceUid: study, outcome: 'known' });
  await withList('sweep.db', async (list) => expect((await list.study(study))!.row.accessionNumber).toBe('A-right'));
  expect(messages(study)).toHaveLength(2);
  await site.work(options);
  await until('the next start tells', () => messages(study).length === 3);
  const said = messages(study);
  expect(said.map(({ status, accession }) => [status, accession])).toEqual([
    ['P', ''],
    ['C', ''],
    ['C', 'A-right'],
  ]);
  expect(new Set(said.map(({ controlId }) => controlId)).size).toBe(3);
  expect(await site.dead()).toEqual([]);
}, 180_000);
