import { parseResultEvent, type ResultEvent } from '../../src/events/result-event';
import { CORRECTED } from '../../src/finding/wording';
import { emailMessage } from '../../src/sinks/email/message';
import { emailSink } from '../../src/sinks/email/sink';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import { loadRecord, type RecordArchive } from '../../src/sinks/load-record';
import type { StudyRecord } from '../../src/sinks/record';
import { UpsClient } from '../../src/sinks/ups/client';
import { laterWorkitemUid, workitemUid } from '../../src/sinks/ups/message';
import { upsSink } from '../../src/sinks/ups/sink';
import { webhookMessage } from '../../src/sinks/webhook/message';
import { webhookSink } from '../../src/sinks/webhook/sink';
import { UpsServer } from '../support/receivers/ups-server';
import { RECORD, RESULT } from '../support/records/result-record';

/** The patient of a result was corrected in the archive: what each receiver is told. */
const CORRECTION = { corrects: ['patient'], correctedAt: '2026-03-05T08:00:00.000Z' } as const;
const EVENT: ResultEvent = { ...RESULT, correction: CORRECTION };

/** An archive of which the reports are gone, and the films have this header. */
const archive = (patient: Partial<StudyRecord['patient']> = {}): RecordArchive => ({
  findInstances: async () =>
    RECORD.films.map((film) => ({
      studyInstanceUid: RECORD.studyInstanceUid,
      seriesInstanceUid: film.seriesInstanceUid!,
      sopInstanceUid: film.sopInstanceUid,
      sopClassUid: film.sopClassUid!,
      modality: film.modality,
    })),
  describe: async () => ({
    ...RECORD.patient,
    ...patient,
    ...RECORD.study,
    ...RECORD.order,
    Modality: 'DX',
    ViewPosition: 'PA',
    sopClassUid: RECORD.films[0]!.sopClassUid,
  }),
  retrieve: async () => Buffer.alloc(0),
});
const load = (event: ResultEvent) => loadRecord(event, archive({ PatientID: 'RIGHT', PatientName: 'Right^Rita' }));
const loadReadable = async (event: ResultEvent) =>
  loadRecord(parseResultEvent(Buffer.from(JSON.stringify(event))), archive({ PatientID: 'RIGHT' }));

jest.mock('../../src/dicom/read', () => {
  const real = jest.requireActual<typeof import('../../src/dicom/read')>('../../src/dicom/read');
  const { HilumError } = jest.requireActual<typeof import('../../src/base/errors')>('../../src/base/errors');
  return {
    ...real,
    readPart10: () => {
      throw new HilumError('DICOM_UNREADABLE', 'permanent', 'gone');
    },
  };
});

const HL7 = hl7Schema.parse({});
const FHIR = { patientSystem: undefined, accessionSystem: undefined, placerSystem: undefined };

const segmentsOf = (record: StudyRecord) =>
  encodeOru(record, HL7)
    .toString()
    .split('\r')
    .map((text) => text.split('|'));
const field = (record: StudyRecord, segment: string, index: number) =>
  segmentsOf(record)
    .filter(([name]) => name === segment)
    .map((fields) => fields[index]);

test('the record has the patient that the archive has now, and a key that is the same at each repetition', async () => {
  const [before, corrected] = [await load(RESULT), await load(EVENT)];
  expect(corrected).toMatchObject({ patient: { PatientID: 'RIGHT' }, correction: CORRECTION, films: before.films });
  expect(corrected.key).not.toBe(before.key);
  expect((await loadReadable(EVENT)).key).toBe(corrected.key);
  const next = { ...EVENT, correction: { ...CORRECTION, correctedAt: '2026-03-06T08:00:00.000Z' } };
  expect((await load(next)).key).not.toBe(corrected.key);
  expect(before).not.toHaveProperty('correction');
});

test('HL7: a message of its own with the new PID; OBR-25 and every OBX-11 are C; the same bytes at each repetition', async () => {
  const [before, corrected] = [await load(RESULT), await load(EVENT)];
  expect(field(corrected, 'MSH', 9)).not.toEqual(field(before, 'MSH', 9));
  expect(field(corrected, 'PID', 3)).toEqual(['RIGHT^^^HOSP']);
  expect(field(corrected, 'OBR', 25)).toEqual(['C']);
  expect(new Set(field(corrected, 'OBX', 11))).toEqual(new Set(['C']));
  expect(field(corrected, 'NTE', 3)).toEqual([expect.any(String), CORRECTED]);
  // The status changed when it was corrected; the result is as old as it was.
  for (const [segment, index] of [
    ['MSH', 6],
    ['OBR', 22],
  ] as const)
    expect(field(corrected, segment, index)).toEqual(['20260305080000+0000']);
  expect(field(corrected, 'OBX', 14)).toEqual(field(before, 'OBX', 14));
  expect(field(corrected, 'OBX', 5)).toEqual(field(before, 'OBX', 5));
  expect(encodeOru(await load(EVENT), HL7)).toEqual(encodeOru(corrected, HL7));
  expect([field(before, 'OBR', 25), new Set(field(before, 'OBX', 11)), field(before, 'NTE', 1)]).toEqual([
    ['P'],
    new Set(['P']),
    ['1'],
  ]);
});

test('HL7: what was taken back of one film is not told of the right patient; the others are corrected', async () => {
  const record = await load(EVENT);
  const [first, ...others] = record.films;
  const { view, findings, lungFraction } = first!;
  const rejected = {
    ...first!,
    outcome: 'not-analysed' as const,
    reason: 'incorrect-worklist-entry' as const,
    supersedes: [RECORD.key],
    withdrawn: { view, findings, lungFraction },
  };
  const partly = { ...record, films: [rejected, ...others] };
  expect(new Set(field(partly, 'OBX', 11))).toEqual(new Set(['C']));
  expect(field(partly, 'OBR', 25)).toEqual(['C']);
});

test('FHIR: the same resources by identifier, of the new patient, corrected', async () => {
  const urls = (record: StudyRecord) => encodeBundle(record, FHIR).entry.map(({ request }) => request.url);
  const [before, corrected] = [await load(RESULT), await load(EVENT)];
  expect(urls(corrected)).toEqual(urls(before));
  const resources = encodeBundle(corrected, FHIR)
    .entry.map(({ resource }) => resource)
    .filter(({ resourceType }) => resourceType !== 'Device');
  for (const resource of resources)
    expect(resource).toMatchObject({
      status: 'corrected',
      subject: { identifier: { value: 'RIGHT' } },
      issued: CORRECTION.correctedAt,
    });
  expect(resources.at(-1)).toMatchObject({ conclusion: expect.stringContaining(CORRECTED) as string });
  expect(resources.at(-1)).not.toHaveProperty('extension');
});

test('UPS: a completed workitem of its own, with the new patient; told again, nothing more', async () => {
  const server = await UpsServer.open();
  try {
    const sink = upsSink(new UpsClient({ url: server.url }), {
      worklistLabel: 'Chest',
      routinePriority: 'MEDIUM',
      retrieveUrl: 'http://archive/dicom-web',
    });
    const [before, corrected] = [await load(RESULT), await load(EVENT)];
    await sink.deliver({ kind: 'result', record: before });
    for (let time = 0; time < 2; time++) await sink.deliver({ kind: 'correction', record: corrected });
    expect([...server.workitems.keys()]).toEqual([workitemUid(before), laterWorkitemUid(corrected)]);
    const { dataset } = server.workitems.get(laterWorkitemUid(corrected))!;
    expect(dataset['00741000']?.Value).toEqual(['COMPLETED']);
    expect(dataset['00100020']?.Value).toEqual(['RIGHT']);
    expect(dataset['00400400']?.Value?.[0]).toContain(CORRECTED);
    await sink.close();
  } finally {
    await server.close();
  }
});

describe('webhook and e-mail', () => {
  const told: { readonly text: string; readonly id: string }[] = [];
  beforeEach(() => void (told.length = 0));
  const sinks = (includePatient: boolean) => [
    webhookSink(
      {
        post: async (text, headers) => void told.push({ text, id: headers['webhook-id']! }),
        probe: async () => {},
        close: async () => {},
      },
      { when: 'urgent', includePatient, secret: `whsec_${'A'.repeat(32)}` },
    ),
    emailSink(
      {
        send: async ({ text, subject, messageId }) => void told.push({ text: `${subject}\n${text}`, id: messageId }),
        probe: async () => {},
        close: async () => {},
      },
      { when: 'urgent', includePatient, from: 'a@b.example', perMinute: 9 },
    ),
  ];

  test('who is told of the patient is told of the correction, by an id of its own', async () => {
    for (const sink of sinks(true)) {
      told.length = 0;
      expect(sink.handles).toContain('correction');
      expect(sink.wants(EVENT)).toBe(true);
      await sink.deliver({ kind: 'result', record: await load(RESULT) });
      await sink.deliver({ kind: 'correction', record: await load(EVENT) });
      expect(told.at(-1)!.text).toContain('RIGHT');
      expect(told.at(-1)!.id).not.toBe(told[0]!.id);
    }
    expect(told.at(-1)!.text).toContain(CORRECTED);
    const [subject] = told.at(-1)!.text.split('\n');
    expect(subject).toBe('Hilum: patient or order of a chest film were corrected');
    const record = await load(EVENT);
    expect(webhookMessage(record, true)).toMatchObject({
      timestamp: CORRECTION.correctedAt,
      data: { correction: CORRECTION },
    });
    expect(webhookMessage(await load(RESULT), true).data).not.toHaveProperty('correction');
    expect(emailMessage(record, { from: 'a@b.example', includePatient: true }).date.toISOString()).toBe(
      CORRECTION.correctedAt,
    );
  });

  test('who is told nothing of the patient hears nothing', () => {
    for (const sink of sinks(false)) expect(sink.handles).not.toContain('correction');
  });
});
