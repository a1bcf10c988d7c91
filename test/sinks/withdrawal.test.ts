import { deriveUid } from '../../src/dicom/uid';
import { REASON_TEXTS, WITHDRAWN } from '../../src/finding/wording';
import type { RejectionReason } from '../../src/events/closed-lists';
import { emailMessage } from '../../src/sinks/email/message';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import { metadataChanges } from '../../src/sinks/orthanc-metadata/message';
import type { StudyRecord } from '../../src/sinks/record';
import { UpsClient } from '../../src/sinks/ups/client';
import { laterWorkitemUid, workitemUid } from '../../src/sinks/ups/message';
import { upsSink } from '../../src/sinks/ups/sink';
import { webhookMessage } from '../../src/sinks/webhook/message';
import { webhookSink } from '../../src/sinks/webhook/sink';
import { UpsServer } from '../support/receivers/ups-server';
import { RECORD, resultOf } from '../support/records/result-record';

const OLD = deriveUid(['old report']);
const [first, other, last] = RECORD.films;
const { view, findings, lungFraction } = first!;

function withdrawn(reason: RejectionReason, films: StudyRecord['films'] = [last!]): StudyRecord {
  return {
    ...RECORD,
    key: deriveUid(['withdrawn', reason]),
    priority: null,
    supersededPriority: 'urgent',
    films: [
      {
        ...first!,
        outcome: 'not-analysed',
        reason,
        reasonText: REASON_TEXTS[reason],
        view: null,
        probability: null,
        lungFraction: null,
        findings: [],
        remarks: [],
        outputs: first!.outputs.slice(-1),
        supersedes: [OLD],
        withdrawn: { view, findings, lungFraction },
      },
      ...films,
    ],
  };
}

const HL7 = hl7Schema.parse({});
const FHIR = { patientSystem: undefined, accessionSystem: undefined, placerSystem: undefined };

const segmentsOf = (record: StudyRecord) =>
  encodeOru(record, HL7)
    .toString()
    .split('\r')
    .map((text) => text.split('|'));
const statusesOf = (record: StudyRecord, code: string) =>
  segmentsOf(record)
    .filter(([name, , , concept]) => name === 'OBX' && concept?.startsWith(`${code}^`))
    .map((fields) => fields[11]);

test.each<[RejectionReason, string]>([
  ['incorrect-worklist-entry', 'W'],
  ['rejected-for-quality', 'D'],
  ['rejected-for-patient-safety', 'D'],
  ['retention-expired', 'D'],
])('HL7: after %s what was told comes once more with status %s', (reason, status) => {
  const record = withdrawn(reason);
  for (const code of ['positive-class', 'probability', 'operating-point', 'lung-fraction'])
    expect(statusesOf(record, code)).toEqual([status]);
  expect(statusesOf(record, 'reason')).toEqual(['C', 'P']);
  expect(segmentsOf(record).find(([name]) => name === 'OBR')![25]).toBe('X');
});

test('HL7: where another film keeps its result the report is corrected, and that film stays as it is', () => {
  const record = withdrawn('rejected-for-quality', [other!]);
  expect(segmentsOf(record).find(([name]) => name === 'OBR')![25]).toBe('C');
  const second = segmentsOf(record).filter(([name, , , , group]) => name === 'OBX' && group === '2');
  expect(new Set(second.map((fields) => fields[11]))).toEqual(new Set(['P']));
});

test('FHIR: Observations and report are entered in error; the values stay, so that they are found', () => {
  const bundle = encodeBundle(withdrawn('rejected-for-quality', []), FHIR).entry.map(({ resource }) => resource);
  const observations = bundle.filter(({ resourceType }) => resourceType === 'Observation');
  expect(observations).toMatchObject([
    { status: 'entered-in-error', valueQuantity: { value: first!.probability } },
    { status: 'entered-in-error', valueQuantity: { value: first!.lungFraction } },
  ]);
  expect(bundle.at(-1)).toMatchObject({
    status: 'entered-in-error',
    conclusion: expect.stringContaining(WITHDRAWN) as string,
  });
});

test('FHIR: the identifiers are those of the earlier result, and the report of other films is corrected', () => {
  const urls = (record: StudyRecord) => encodeBundle(record, FHIR).entry.map(({ request }) => request.url);
  const record = withdrawn('rejected-for-quality', RECORD.films.slice(1));
  expect(urls(record)).toEqual(urls(RECORD));
  expect(encodeBundle(record, FHIR).entry.at(-1)!.resource.status).toBe('corrected');
});

test('what was told can not be read any more: the withdrawal is told all the same', () => {
  const whole = withdrawn('incorrect-worklist-entry');
  const films = whole.films.map((film) =>
    Object.fromEntries(Object.entries(film).filter(([key]) => key !== 'withdrawn')),
  );
  const record = { ...whole, films: films as unknown as StudyRecord['films'] };
  expect(segmentsOf(record).find(([name]) => name === 'OBR')![25]).toBe('X');
  // The report that holds no more, and the one of the withdrawal.
  expect(statusesOf(record, 'report').slice(0, 2)).toEqual(['W', 'C']);
  expect(encodeBundle(record, FHIR).entry.at(-1)!.resource.status).toBe('entered-in-error');
});

test('webhook: the film and the whole result are withdrawn; of a part only the film', () => {
  expect(webhookMessage(withdrawn('rejected-for-quality'), false).data).toMatchObject({
    withdrawn: true,
    films: [{ withdrawn: true, reason: 'rejected-for-quality', supersedes: [OLD] }, {}],
  });
  const { data } = webhookMessage(withdrawn('rejected-for-quality', [other!]), false);
  expect(data).not.toHaveProperty('withdrawn');
  expect(data.films.map((film) => film.withdrawn)).toEqual([true, undefined]);
  expect(JSON.stringify(webhookMessage(RECORD, false))).not.toContain('withdrawn');
});

test('a webhook for urgent results hears of the withdrawal of one', async () => {
  const told: string[] = [];
  const sink = webhookSink(
    { post: async (body) => void told.push(body), probe: async () => {}, close: async () => {} },
    { when: 'urgent', includePatient: false, secret: `whsec_${'A'.repeat(32)}` },
  );
  await sink.deliver({ kind: 'withdrawal', record: withdrawn('rejected-for-quality') });
  await sink.deliver({
    kind: 'withdrawal',
    record: { ...withdrawn('rejected-for-quality'), supersededPriority: 'routine' },
  });
  expect(told).toHaveLength(1);
});

test('e-mail: the subject says it, and so does the text', () => {
  const mail = emailMessage(withdrawn('rejected-for-quality'), { from: 'a@b.example', includePatient: false });
  expect(mail.subject).toBe('Hilum: a result is withdrawn');
  expect(mail.text).toContain('withdrawn: its films were rejected');
  expect(mail.text).toContain(WITHDRAWN);
});

test('metadata of Orthanc: HIGH no more', () => {
  const there = { priority: 'HIGH', probability: '0.9300', written: `HIGH 0.9300 ${RECORD.key}` };
  expect(metadataChanges(withdrawn('rejected-for-quality'), there)).toContainEqual(['priority', 'MEDIUM']);
});

describe('UPS', () => {
  const settings = { worklistLabel: 'Chest', routinePriority: 'MEDIUM', retrieveUrl: 'http://archive' } as const;
  const record = withdrawn('incorrect-worklist-entry');
  const [uid, later] = [workitemUid(record), laterWorkitemUid(record)];
  let server: UpsServer;
  beforeEach(async () => void (server = await UpsServer.open()));
  afterEach(() => server.close());
  const withdraw = async () => {
    const sink = upsSink(new UpsClient({ url: server.url }), settings);
    await sink.deliver({ kind: 'withdrawal', record }).finally(() => sink.close());
  };
  const tell = async () => {
    const sink = upsSink(new UpsClient({ url: server.url }), settings);
    await sink.deliver(resultOf(RECORD)).finally(() => sink.close());
  };

  test('what is completed can not be canceled: a workitem of its own is, with the reason', async () => {
    await tell();
    await withdraw();
    await withdraw();
    expect(server.workitems.get(uid)!.states.at(-1)).toBe('COMPLETED');
    expect(server.workitems.get(later)!.states).toEqual(['SCHEDULED', 'IN PROGRESS', 'CANCELED']);
    expect(JSON.stringify(server.workitems.get(later)!.dataset['00741002'])).toContain('110514');
    expect(server.workitems.size).toBe(2);
  });

  const states = (workitem: string) => server.workitems.get(workitem)?.states;
  const retake: StudyRecord = {
    ...RECORD,
    key: deriveUid(['retake']),
    films: [...record.films, { ...first!, sopInstanceUid: deriveUid(['retake', 'film']) }],
  };
  const tellRetake = async () => {
    const sink = upsSink(new UpsClient({ url: server.url }), settings);
    await sink.deliver({ kind: 'replacement', record: retake }).finally(() => sink.close());
  };
  /** A first delivery that was given up after so many requests: its workitem is not at its end. */
  const tellInPart = async (requests: number) => {
    server.cutAt = { request: requests, when: 'before' };
    await expect(tell()).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE' });
    server.cutAt = null;
    server.requests.length = 0;
  };

  test("the result was never told: the study's own workitem stays free for what comes after", async () => {
    await withdraw();
    await withdraw();
    expect(states(uid)).toBeUndefined();
    expect(states(later)).toEqual(['SCHEDULED', 'IN PROGRESS', 'CANCELED']);
    expect(server.workitems.size).toBe(1);
    await tellRetake();
    await tellRetake();
    expect(states(uid)).toEqual(['SCHEDULED', 'IN PROGRESS', 'COMPLETED']);
    expect(server.workitems.get(uid)!.dataset['00741200']?.Value).toEqual(['HIGH']);
    expect(server.workitems.size).toBe(2);
  });

  test.each([1, 2, 3])('the result was told in part (%d requests): its workitem is canceled', async (requests) => {
    await tellInPart(requests);
    await withdraw();
    expect(states(uid)).toEqual(['SCHEDULED', 'IN PROGRESS', 'CANCELED']);
    expect(server.workitems.size).toBe(1);
    await tellRetake();
    await tellRetake();
    expect(states(laterWorkitemUid(retake))).toEqual(['SCHEDULED', 'IN PROGRESS', 'COMPLETED']);
    expect(server.workitems.size).toBe(2);
  });

  test('a retake that was told in a workitem of its own is withdrawn too', async () => {
    await tellInPart(1);
    await withdraw();
    await tellRetake();
    const again = { ...record, key: deriveUid(['withdrawn again']) };
    const sink = upsSink(new UpsClient({ url: server.url }), settings);
    await sink.deliver({ kind: 'withdrawal', record: again }).finally(() => sink.close());
    expect(states(laterWorkitemUid(again))).toEqual(['SCHEDULED', 'IN PROGRESS', 'CANCELED']);
  });

  test('what a person canceled says nothing that wants withdrawing', async () => {
    await tellInPart(1);
    server.workitems.get(uid)!.dataset['00741000'] = { vr: 'CS', Value: ['CANCELED'] };
    await withdraw();
    await tellRetake();
    expect([...server.workitems.keys()]).toEqual([uid]);
  });

  test('a server that hides what is completed hears of the withdrawal', async () => {
    server.hideFinal = true;
    await tell();
    await withdraw();
    expect(states(later)).toEqual(['SCHEDULED', 'IN PROGRESS', 'CANCELED']);
  });

  // Not at request 0, which only reads and is asked once more on a new connection.
  test.each([1, 2, 3, 4])('cut at request %d: the next try ends in one canceled workitem', async (request) => {
    server.cutAt = { request, when: 'after' };
    await expect(withdraw()).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE' });
    server.cutAt = null;
    await withdraw();
    expect(states(later)).toEqual(['SCHEDULED', 'IN PROGRESS', 'CANCELED']);
    expect(server.workitems.size).toBe(1);
  });

  test.each([1, 2, 3])('the same at request %d where the result was told in part', async (request) => {
    await tellInPart(1);
    server.cutAt = { request, when: 'after' };
    await expect(withdraw()).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE' });
    server.cutAt = null;
    await withdraw();
    expect(states(uid)).toEqual(['SCHEDULED', 'IN PROGRESS', 'CANCELED']);
  });
});
