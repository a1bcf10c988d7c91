import { HilumError } from '../../src/base/errors';
import { parseUid } from '../../src/dicom/uid';
import type { StudyRecord } from '../../src/sinks/record';
import { UpsClient, type UpsOptions } from '../../src/sinks/ups/client';
import { laterWorkitemUid, newWorkitem, transactionUid, workitemUid } from '../../src/sinks/ups/message';
import { upsSink } from '../../src/sinks/ups/sink';
import { UpsServer, type When } from '../support/receivers/ups-server';
import { RECORD, resultOf } from '../support/records/result-record';

const SETTINGS = {
  worklistLabel: 'Chest',
  routinePriority: 'MEDIUM',
  retrieveUrl: 'http://archive/dicom-web',
} as const;
const UID = workitemUid(RECORD);

let server: UpsServer;
beforeEach(async () => void (server = await UpsServer.open()));
afterEach(() => server.close());

async function deliver(record: StudyRecord = RECORD, options: Partial<UpsOptions> = {}): Promise<void> {
  const sink = upsSink(new UpsClient({ url: server.url, ...options }), SETTINGS);
  try {
    await sink.deliver(resultOf(record));
  } finally {
    await sink.close();
  }
}

async function failure(work: Promise<unknown>): Promise<Pick<HilumError, 'code' | 'lasting' | 'message'>> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof HilumError)) throw new Error(`no HilumError but ${String(error)}`);
  return { code: error.code, lasting: error.lasting, message: error.message };
}

const completed = () =>
  [...server.workitems]
    .filter(([, { dataset }]) => dataset['00741000']?.Value?.[0] === 'COMPLETED')
    .map(([uid]) => uid);
const priorityOf = (uid: string) => server.workitems.get(uid)?.dataset['00741200']?.Value?.[0];

test('created, claimed, updated, completed', async () => {
  await deliver();
  expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `POST /rs/workitems?${UID}`,
    `PUT /rs/workitems/${UID}/state`,
    `POST /rs/workitems/${UID}?${transactionUid(UID)}`,
    `PUT /rs/workitems/${UID}/state`,
  ]);
  expect(server.requests.every(({ contentType }) => contentType === 'application/dicom+json')).toBe(true);
  expect(server.workitems.get(UID)?.states).toEqual(['SCHEDULED', 'IN PROGRESS', 'COMPLETED']);
  expect(priorityOf(UID)).toBe('HIGH');
});

test('told again, nothing changes', async () => {
  await deliver();
  await deliver();
  expect(completed()).toEqual([UID]);
  expect(server.workitems.size).toBe(1);
});

describe.each(['before', 'after'] as const)('the connection is cut %s the server did its work', (when: When) => {
  test.each([0, 1, 2, 3])('at request %d: the next try ends in one completed workitem', async (request) => {
    server.cutAt = { request, when };
    expect(await failure(deliver())).toMatchObject({ code: 'RECEIVER_UNREACHABLE', lasting: 'transient' });
    expect(server.requests).toHaveLength(request + 1);
    server.cutAt = null;
    await deliver();
    expect(completed()).toEqual([UID]);
    expect([...server.workitems.keys()]).toEqual([UID]);
    expect(server.workitems.get(UID)?.states).toEqual(['SCHEDULED', 'IN PROGRESS', 'COMPLETED']);
  });

  test.each([0, 1, 2, 3])(
    'the same at request %d of a server that answers 409 and hides what is final',
    async (request) => {
      Object.assign(server, { conflictStatus: 409, hideFinal: true, cutAt: { request, when } });
      await failure(deliver());
      server.cutAt = null;
      await deliver();
      expect(completed()).toEqual([UID]);
      expect(server.workitems.size).toBe(1);
    },
  );
});

test('a later result of the study gets a workitem of its own, once', async () => {
  await deliver();
  const film = RECORD.films[0]!;
  const later = {
    ...RECORD,
    key: parseUid('2.25.42'),
    films: [
      ...RECORD.films,
      {
        ...film,
        sopInstanceUid: parseUid('1.2.9'),
        outputs: [{ ...film.outputs[0]!, sopInstanceUid: parseUid('1.2.9.1') }],
      },
    ],
  };
  await deliver(later);
  await deliver(later);
  await deliver();
  expect(completed()).toEqual([UID, laterWorkitemUid(later)]);
});

test('a higher priority that the server has stays, a lower one is raised', async () => {
  const other = new UpsClient({ url: server.url });
  await other.create(UID, newWorkitem(RECORD, SETTINGS));
  await other.close();
  await deliver({ ...RECORD, priority: 'routine' });
  expect(priorityOf(UID)).toBe('HIGH');

  const second = { ...RECORD, studyInstanceUid: parseUid('1.2.77'), key: parseUid('2.25.77') };
  const again = new UpsClient({ url: server.url });
  await again.create(workitemUid(second), newWorkitem({ ...second, priority: 'routine' }, SETTINGS));
  await again.close();
  expect(priorityOf(workitemUid(second))).toBe('MEDIUM');
  await deliver(second);
  expect(priorityOf(workitemUid(second))).toBe('HIGH');
});

test('what a person canceled stays canceled', async () => {
  const other = new UpsClient({ url: server.url });
  await other.create(UID, newWorkitem(RECORD, SETTINGS));
  server.workitems.get(UID)!.dataset['00741000'] = { vr: 'CS', Value: ['CANCELED'] };
  await deliver();
  await other.close();
  expect(server.workitems.get(UID)?.dataset['00741000']?.Value).toEqual(['CANCELED']);
  expect(server.workitems.size).toBe(1);
});

test('a workitem that another system claimed is left alone', async () => {
  const other = new UpsClient({ url: server.url });
  await other.create(UID, newWorkitem(RECORD, SETTINGS));
  Object.assign(server.workitems.get(UID)!, { transaction: '1.2.3' });
  server.workitems.get(UID)!.dataset['00741000'] = { vr: 'CS', Value: ['IN PROGRESS'] };
  expect(await failure(deliver())).toMatchObject({ code: 'RECEIVER_REFUSED', lasting: 'permanent' });
  await other.close();
  expect(server.workitems.get(UID)?.transaction).toBe('1.2.3');
  expect(completed()).toEqual([]);
});

test('a server that names workitems itself is found out, not filled', async () => {
  server.ignoresName = true;
  const refused = await failure(deliver());
  expect(refused).toMatchObject({ code: 'RECEIVER_REFUSED', lasting: 'permanent' });
  expect(refused.message).toContain('deliveries.ups.uidQuery');
});

test('dcm4chee: the UID by name, the requester in the path', async () => {
  const client = new UpsClient({ url: server.url, uidQuery: 'workitem', requester: 'HILUM' });
  server.answerWith = { status: 200 };
  await client.changeState(UID, {});
  await client.update(UID, transactionUid(UID), {});
  server.answerWith = { status: 201 };
  await client.create(UID, {});
  await client.close();
  expect(server.requests.map(({ path }) => path)).toEqual([
    `/rs/workitems/${UID}/state/HILUM`,
    `/rs/workitems/${UID}?transaction=${transactionUid(UID)}`,
    `/rs/workitems?workitem=${UID}`,
  ]);
});

test.each([
  [400, 'RECEIVER_REFUSED', 'permanent'],
  [401, 'RECEIVER_UNAUTHORISED', 'permanent'],
  [403, 'RECEIVER_UNAUTHORISED', 'permanent'],
  [404, 'RECEIVER_REFUSED', 'permanent'],
  [302, 'RECEIVER_REFUSED', 'permanent'],
  [429, 'RECEIVER_UNAVAILABLE', 'transient'],
  [503, 'RECEIVER_UNAVAILABLE', 'transient'],
])('HTTP %d is %s', async (status, code, lasting) => {
  server.answerWith = { status };
  expect(await failure(deliver())).toMatchObject({ code, lasting });
});

test('no answer in time, nobody there', async () => {
  server.hang = true;
  expect(await failure(deliver(RECORD, { responseTimeoutMs: 200 }))).toMatchObject({
    code: 'RECEIVER_TIMEOUT',
    lasting: 'transient',
  });
  expect(await failure(deliver(RECORD, { url: 'http://127.0.0.1:9/rs' }))).toMatchObject({
    code: 'RECEIVER_UNREACHABLE',
    lasting: 'transient',
  });
});

test('the doctor searches, and changes nothing', async () => {
  const client = new UpsClient({ url: server.url });
  await client.probe();
  server.answerWith = { status: 401 };
  expect(await failure(client.probe())).toMatchObject({ code: 'RECEIVER_UNAUTHORISED' });
  await client.close();
  expect(server.workitems.size).toBe(0);
});

test('the double refuses a workitem without any one of the required attributes', async () => {
  const client = new UpsClient({ url: server.url });
  const whole = newWorkitem(RECORD, SETTINGS);
  for (const tag of ['00404005', '00404041', '00741200', '00741204', '0040A370', '00081195', '00741216', '00101002']) {
    const rest = Object.fromEntries(Object.entries(whole).filter(([key]) => key !== tag));
    expect([tag, (await failure(client.create(UID, rest))).code]).toEqual([tag, 'RECEIVER_REFUSED']);
  }
  await client.close();
});
