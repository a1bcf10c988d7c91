import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceReference } from '../../src/dicom/instance';
import { readPart10 } from '../../src/dicom/read';
import { parseUid, type Uid } from '../../src/dicom/uid';
import { type Database, openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import { rejectionNote } from '../support/films/rejection-note';
import { type FhirReceiver, fhirReceiver } from '../support/receivers/fhir-receiver';
import { type Hl7Receiver, hl7Receiver } from '../support/receivers/hl7-receiver';
import { recordingLog } from '../support/records/logs';
import { dciodvfy } from '../support/servers/judges';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

const site = Site.forTests();
const dir = mkdtempSync(join(tmpdir(), 'hilum-rejected-'));
let hl7: Hl7Receiver;
let fhir: FhirReceiver;
beforeAll(async () => {
  [hl7, fhir] = [await hl7Receiver(), await fhirReceiver()];
}, 60_000);
afterAll(async () => {
  await hl7.stop();
  await fhir.stop();
  rmSync(dir, { recursive: true, force: true });
});
let database: Database | undefined;
afterEach(async () => database?.close());

/** The film of a study of one, and its header as the archive has it. */
async function filmOf(study: Uid) {
  const [found] = await site.ask<{ ID: string }[]>('/tools/find', {
    method: 'POST',
    body: JSON.stringify({ Level: 'Instance', Expand: true, Query: { StudyInstanceUID: study, Modality: 'CR\\DX' } }),
  });
  const answer = await fetch(`${site.orthanc.url}/instances/${found!.ID}/file`);
  const { attributes } = readPart10(new Uint8Array(await answer.arrayBuffer()));
  const reference: InstanceReference = {
    studyInstanceUid: study,
    seriesInstanceUid: parseUid(attributes.SeriesInstanceUID),
    sopInstanceUid: parseUid(attributes.SOPInstanceUID),
    sopClassUid: parseUid(attributes.SOPClassUID),
    modality: 'CR',
  };
  return { reference, patient: { PatientID: String(attributes.PatientID), PatientName: 'Drawn^Film' } };
}

async function reject(study: Uid, title: string): Promise<void> {
  const { reference, patient } = await filmOf(study);
  const note = rejectionNote(title, [reference], { patient });
  expect(dciodvfy(note).errors).toEqual([]);
  await site.ask('/instances', { method: 'POST', body: note });
  await site.tell(study);
}

test('rejected before anybody read it: no result is written', async () => {
  const study = await site.put();
  const worker = await site.work();
  await reject(study, '113001');
  await worker.saw('study.done', study, 60_000);
  expect(await site.stored(study)).toEqual(['CR', 'KO']);
  expect((await site.results()).at(-1)).toMatchObject({
    films: [{ outcome: 'rejected', reason: 'rejected-for-quality' }],
  });
}, 120_000);

test('rejected afterwards: withdrawn in the archive, on the list, by HL7 and FHIR', async () => {
  const url = `file:${join(dir, 'list.db')}`;
  const list = new Worklist((database = openDatabase(url, recordingLog())));
  const study = await site.put();
  await site.work({
    list: { enabled: true, database: url },
    deliveries: {
      hl7: { enabled: true, host: '127.0.0.1', port: hl7.port },
      fhir: { enabled: true, url: fhir.url },
    },
  });
  await site.tell(study);
  await until('it is urgent on the list', async () => (await list.study(study))?.row.priority === 'urgent', 60_000);
  const reports = () => fhir.all('DiagnosticReport');
  const heard = async () => hl7.noted().length === 1 && (await reports()).length === 1;
  await until('both heard of it', heard, 60_000);
  await reject(study, '113038');
  await until('it is urgent no more', async () => (await list.study(study))?.row.priority !== 'urgent', 60_000);
  expect((await list.study(study))!.row).toMatchObject({ state: 'not-analysed', reason: 'incorrect-worklist-entry' });
  await until('FHIR has it', async () => (await reports())[0]!['status'] === 'entered-in-error', 60_000);
  expect(await reports()).toHaveLength(1);
  for (const observation of await fhir.all('Observation')) expect(observation['status']).toBe('entered-in-error');
  await until('HL7 has it', () => hl7.noted().length === 2, 60_000);
  expect(hl7.noted()[1]!.status).toBe('X');
  const statuses = hl7.noted()[1]!.observations.map(({ status }) => status);
  expect(statuses).toEqual(expect.arrayContaining(['W', 'C']));
  expect(await site.stored(study)).toEqual(['CR', 'KO', 'OT', 'SR', 'SR']);
  expect(await site.dead()).toEqual([]);
}, 180_000);
