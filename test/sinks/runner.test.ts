import { HilumError } from '../../src/base/errors';
import { deriveUid } from '../../src/dicom/uid';
import { DELIVERY_KINDS } from '../../src/events/closed-lists';
import type { ConsumedMessage } from '../../src/queue/message';
import { FAILING_MS } from '../../src/sinks/failure-watch';
import type { StudyRecord } from '../../src/sinks/record';
import { createRunner, type DeliveryResult, type RunnerOptions } from '../../src/sinks/runner';
import type { Sink, SinkDelivery } from '../../src/sinks/sink';
import { consumedMessage } from '../support/broker/consumed-message';
import { recordingLog } from '../support/records/logs';
import { RECORD, RESULT } from '../support/records/result-record';

const RETRY = { delaysMs: [5_000, 30_000], limit: 2 };
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

function setUp(
  deliver: (record: StudyRecord, tell: SinkDelivery['verified'], kind: SinkDelivery['kind']) => Promise<void>,
  more: Partial<RunnerOptions> = {},
  wants = true,
  handles: Sink['handles'] = DELIVERY_KINDS,
) {
  const log = recordingLog();
  const counted: DeliveryResult[] = [];
  const failing: (number | null)[] = [];
  const verified: [string, number][] = [];
  let loaded = 0;
  const sink: Sink = {
    name: 'hl7',
    handles,
    wants: () => wants,
    deliver: ({ kind, record, verified: tell }) => deliver(record, tell, kind),
  };
  const runner = createRunner({
    sink,
    retry: RETRY,
    log,
    loadRecord: () => (loaded++, Promise.resolve(RECORD)),
    observer: {
      delivery: (_sink, result) => counted.push(result),
      failingSince: (_sink, since) => failing.push(since),
      verified: (_sink, way, objects) => verified.push([way, objects]),
    },
    ...more,
  });
  const run = async (given: Partial<ConsumedMessage> = {}) => {
    const message = consumedMessage(bytes(RESULT), given);
    await runner(message);
    return message.settled;
  };
  return { run, log, counted, failing, verified, loaded: () => loaded };
}

const events = (log: ReturnType<typeof recordingLog>) => log.lines.map(({ fields }) => fields.event);

test('delivered, then acknowledged; the log names study and sink and nothing of the patient', async () => {
  const told: StudyRecord[] = [];
  const { run, log, counted } = setUp(async (record) => void told.push(record));
  expect(await run()).toEqual(['ack']);
  expect(told).toEqual([RECORD]);
  expect(counted).toEqual(['done']);
  expect(log.lines.at(-1)).toMatchObject({
    fields: { event: 'delivery.done', sink: 'hl7', study: RESULT.studyInstanceUid, attempt: 1 },
  });
  expect(JSON.stringify(log.lines)).not.toContain(RECORD.patient.PatientName);
});

test('what a sink makes sure of is counted', async () => {
  const { run, verified } = setUp(async (_record, tell) => tell?.('find', 3));
  await run();
  expect(verified).toEqual([['find', 3]]);
});

test('what the sink does not want is acknowledged unread', async () => {
  const { run, counted, loaded } = setUp(() => Promise.reject(new Error('told')), {}, false);
  expect(await run()).toEqual(['ack']);
  expect(counted).toEqual(['unwanted']);
  expect(loaded()).toBe(0);
});

test('a result that the archive has a later one of is acknowledged, told to nobody, and logged', async () => {
  const { run, counted, log } = setUp(() => Promise.reject(new Error('told')), { loadRecord: async () => null });
  expect(await run()).toEqual(['ack']);
  expect(counted).toEqual(['superseded']);
  expect(events(log)).toEqual(['delivery.superseded']);
});

test.each([
  ['replacement', [deriveUid(['earlier'])]],
  ['result', []],
] as const)('a result is told as a %s where its films supersede %j', async (kind, supersedes) => {
  const { run, counted } = setUp(async () => {}, {}, true, [kind]);
  const event = { ...RESULT, films: RESULT.films.map((film) => ({ ...film, supersedes })) };
  expect(await run({ body: bytes(event) })).toEqual(['ack']);
  expect(counted).toEqual(['done']);
});

test.each([
  ['withdrawal', [{ outcome: 'rejected', reason: 'modality', supersedes: undefined }]],
  ['replacement', [{}]],
  ['replacement', [{ reason: 'lateral-view', supersedes: [deriveUid(['earlier'])] }]],
] as const)(
  'told as a %s where a film was rejected after it had a result, and beside it is %j',
  async (kind, others) => {
    const { run, counted } = setUp(async () => {}, {}, true, [kind]);
    const [film] = RESULT.films;
    const rejected = {
      ...film!,
      outcome: 'not-analysed',
      reason: 'rejected-for-quality',
      supersedes: [deriveUid(['earlier'])],
    };
    const films = [rejected, ...others.map((other) => ({ ...film!, ...other }))];
    expect(await run({ body: bytes({ ...RESULT, films }) })).toEqual(['ack']);
    expect(counted).toEqual(['done']);
  },
);

test('the kind told is that of the record, which may have films that the event has not', async () => {
  const told: unknown[] = [];
  const { run } = setUp(async (_record, _tell, kind) => void told.push(kind));
  const [film] = RESULT.films;
  const rejected = {
    ...film!,
    outcome: 'not-analysed',
    reason: 'rejected-for-quality',
    supersedes: [deriveUid(['x'])],
  };
  expect(await run({ body: bytes({ ...RESULT, films: [rejected] }) })).toEqual(['ack']);
  expect(told).toEqual(['result']);
});

test('what a sink does not handle is acknowledged unread', async () => {
  const { run, counted, loaded } = setUp(() => Promise.reject(new Error('told')), {}, true, ['withdrawal']);
  expect(await run()).toEqual(['ack']);
  expect(counted).toEqual(['unwanted']);
  expect(loaded()).toBe(0);
});

test.each([
  [
    'transient',
    new HilumError('RECEIVER_UNREACHABLE', 'transient', 'away'),
    1,
    'retry 5000 RECEIVER_UNREACHABLE',
    'delivery.retry',
  ],
  [
    'transient, second time',
    new HilumError('RECEIVER_UNREACHABLE', 'transient', 'away'),
    2,
    'retry 30000 RECEIVER_UNREACHABLE',
    'delivery.retry',
  ],
  [
    'transient beyond the limit',
    new HilumError('RECEIVER_UNREACHABLE', 'transient', 'away'),
    3,
    'dead RECEIVER_UNREACHABLE',
    'delivery.dead',
  ],
  ['permanent', new HilumError('RECEIVER_REFUSED', 'permanent', 'AR'), 1, 'dead RECEIVER_REFUSED', 'delivery.dead'],
  ['a defect', new TypeError('DOE^JANE is no number'), 1, 'retry 5000 UNKNOWN', 'delivery.retry'],
])('%s failure is settled as for studies', async (_name, error, attempt, settled, event) => {
  const { run, log } = setUp(() => Promise.reject(error));
  expect(await run({ attempt })).toEqual([settled]);
  expect(events(log).at(-1)).toBe(event);
  expect(JSON.stringify(log.lines)).not.toContain('DOE^JANE');
});

test('an archive that is away when the record is read is the same as a sink that is away', async () => {
  const { run } = setUp(() => Promise.resolve(), {
    loadRecord: () => Promise.reject(new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'away')),
  });
  expect(await run()).toEqual(['retry 5000 ARCHIVE_UNREACHABLE']);
});

test.each([
  ['no JSON', Buffer.from('{')],
  ['another type', bytes({ ...RESULT, type: 'study-stable' })],
  ['a UID that is none', bytes({ ...RESULT, studyInstanceUid: '1/2' })],
  ['a probability of 2', bytes({ ...RESULT, films: [{ ...RESULT.films[0], probability: 2 }] })],
])('%s is dead at once, and no fault of the sink', async (_name, body) => {
  const { run, failing, loaded } = setUp(() => Promise.resolve());
  expect(await run({ body })).toEqual(['dead EVENT_INVALID']);
  expect(loaded()).toBe(0);
  expect(failing).toEqual([]);
});

test('a redelivered message is requeued counted before it is told, and given up in the end', async () => {
  const { run, loaded } = setUp(() => Promise.resolve());
  expect(await run({ redelivered: true, lost: 0 })).toEqual(['requeue 0']);
  expect(await run({ redelivered: true, lost: 20 })).toEqual(['dead WORKER_LOST']);
  expect(await run({ redelivered: true, outlivedBroker: true, lost: 20 })).toEqual(['continue later']);
  expect(loaded()).toBe(0);
});

test('a sink that fails for long is told once, with the cause, and once when it is well', async () => {
  let now = 0;
  let isAway = true;
  const { run, log, failing } = setUp(
    () =>
      isAway
        ? Promise.reject(
            new HilumError('RECEIVER_UNREACHABLE', 'transient', "the receiver can't be reached (ECONNREFUSED)"),
          )
        : Promise.resolve(),
    { now: () => now },
  );
  const told = () =>
    log.lines
      .filter(({ fields: { event } }) => event === 'delivery.failing' || event === 'delivery.recovered')
      .map(({ fields: { event, error } }) => [event, error]);
  now = 1_000;
  await run();
  now += FAILING_MS - 1;
  await run();
  expect(told()).toEqual([]);
  now += 1;
  await run();
  await run();
  expect(told()).toEqual([['delivery.failing', "RECEIVER_UNREACHABLE: the receiver can't be reached (ECONNREFUSED)"]]);
  isAway = false;
  await run();
  await run();
  expect(told().slice(1)).toEqual([['delivery.recovered', undefined]]);
  expect(failing).toEqual([1_000, 1_000, 1_000, 1_000, null, null]);
});
