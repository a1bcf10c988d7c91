import { HilumError } from '../../src/base/errors';
import type { ResultEvent } from '../../src/events/result-event';
import type { Broker } from '../../src/queue/broker';
import { deadLetterQueues, type DeadLetter, processDeadLetters } from '../../src/queue/dead-letters';
import type { RetryPolicy } from '../../src/queue/retry-policy';
import { SINKS } from '../../src/sinks/registry';
import { createRunner } from '../../src/sinks/runner';
import type { Sink } from '../../src/sinks/sink';
import { BrokerBench } from '../support/broker/broker-bench';
import { recordingLog } from '../support/records/logs';
import { RECORD, RESULT } from '../support/records/result-record';
import { until } from '../support/servers/servers';

const bench = BrokerBench.forTests();

async function open(sinks: readonly string[]): Promise<Broker> {
  const broker = bench.connect({ sinks, knownSinks: SINKS.names, retryDelaysMs: [200] });
  await broker.ready(20_000);
  return broker;
}

/**
 * A sink whose deliveries end as `deliver` says; it is told of the study's models, by which the tests know events
 * apart.
 */
async function attach(
  broker: Broker,
  name: string,
  deliver: (tag: string) => Promise<void>,
  retry: Partial<RetryPolicy> = {},
): Promise<{ told: string[]; log: ReturnType<typeof recordingLog> }> {
  const told: string[] = [];
  const log = recordingLog();
  const sink: Sink = {
    name,
    handles: ['result'],
    wants: () => true,
    deliver: async ({ record: { softwareVersion } }) => {
      told.push(softwareVersion);
      await deliver(softwareVersion);
    },
  };
  const loadRecord = (event: ResultEvent) => Promise.resolve({ ...RECORD, softwareVersion: event.models[0]!.id });
  await broker.consumeSink(
    name,
    createRunner({ sink, loadRecord, retry: { delaysMs: [200], limit: 3, ...retry }, log }),
  );
  await broker.ready(20_000);
  return { told, log };
}

const tagged = (tag: string): ResultEvent => ({ ...RESULT, models: [{ id: tag, version: '1' }] });
const away = () => Promise.reject(new HilumError('RECEIVER_UNREACHABLE', 'transient', 'away'));
const well = () => Promise.resolve();

async function letters(broker: Broker, fate: 'keep' | 'replay' | 'drop' = 'keep'): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (const lane of await deadLetterQueues(broker))
    await processDeadLetters(
      broker,
      (letter) => (found.push(letter), fate),
      () => {},
      lane,
    );
  return found;
}

test('each sink hears of every result, in order; results of a time without the sink wait for it', async () => {
  await (await open(['hl7', 'fhir'])).stop(0);
  const announcer = await open([]);
  for (const tag of ['a', 'b', 'c']) await announcer.announce(tagged(tag));
  const broker = await open(['hl7', 'fhir']);
  const [hl7, fhir] = [await attach(broker, 'hl7', well), await attach(broker, 'fhir', well)];
  await until('all are told', () => hl7.told.length === 3 && fhir.told.length === 3);
  expect([hl7.told, fhir.told]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
  await until('all are acknowledged', async () => (await broker.sinkDepths()).every(({ waiting }) => waiting === 0));
});

test('a sink that is away holds up no other and no study', async () => {
  const broker = await open(['hl7', 'fhir']);
  let isAway = true;
  const hl7 = await attach(broker, 'hl7', () => (isAway ? away() : well()), { limit: 1_000 });
  const fhir = await attach(broker, 'fhir', well);
  const studies: string[] = [];
  await broker.consume(async (message) => {
    studies.push(Buffer.from(message.body).toString());
    await message.ack();
  }, 1);
  await broker.ready(20_000);
  for (let n = 0; n < 20; n++) {
    await broker.announce(tagged(`r${n}`));
    await broker.publish(`${bench.prefix}.study`, 'study.stable', Buffer.from(`s${n}`), { mandatory: true });
  }
  await until('the other sink and the studies', () => fhir.told.length === 20 && studies.length === 20);
  expect(hl7.log.lines.some(({ fields }) => fields.event === 'delivery.done')).toBe(false);
  isAway = false;
  await until(
    'the sink is back',
    () => hl7.log.lines.filter(({ fields }) => fields.event === 'delivery.done').length === 20,
  );
  expect(await letters(broker)).toEqual([]);
});

test('what a sink refuses for good is in its own dead queue with its history; a replay tells it alone', async () => {
  const broker = await open(['hl7', 'fhir']);
  let refuses = true;
  const hl7 = await attach(broker, 'hl7', () =>
    refuses ? Promise.reject(new HilumError('RECEIVER_REFUSED', 'permanent', 'AR')) : well(),
  );
  const fhir = await attach(broker, 'fhir', well);
  await broker.announce(tagged('x'));
  const [letter, ...none] = await until('the dead letter', async () => {
    const found = await letters(broker);
    return found.length > 0 ? found : undefined;
  });
  expect(none).toEqual([]);
  expect(letter).toMatchObject({
    queue: 'hl7',
    studyInstanceUid: RESULT.studyInstanceUid,
    reason: 'RECEIVER_REFUSED',
    attempts: [{ attempt: 1, code: 'RECEIVER_REFUSED' }],
  });
  expect(await broker.sinkDepths()).toEqual([
    { sink: 'hl7', waiting: 0, retry: 0, dead: 1 },
    { sink: 'fhir', waiting: 0, retry: 0, dead: 0 },
  ]);
  refuses = false;
  await letters(broker, 'replay');
  await until('it is told', () => hl7.log.lines.some(({ fields }) => fields.event === 'delivery.done'));
  expect([hl7.told, fhir.told]).toEqual([['x', 'x'], ['x']]);
  expect(await letters(broker)).toEqual([]);
});

test('tried again as often as studies are, then dead', async () => {
  const broker = await open(['hl7']);
  const hl7 = await attach(broker, 'hl7', away, { limit: 2 });
  await broker.announce(tagged('x'));
  await until('it is dead', async () => (await broker.sinkDepths())[0]!.dead === 1);
  expect(hl7.told).toEqual(['x', 'x', 'x']);
  expect((await letters(broker))[0]!.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
});

test('a receiver away for longer than the limit is told when it is back; its answers are counted anew', async () => {
  const broker = await open(['hl7']);
  const starting = () => Promise.reject(new HilumError('RECEIVER_UNAVAILABLE', 'transient', 'AE'));
  const answers = [away, away, away, away, away, starting, away, starting];
  const hl7 = await attach(broker, 'hl7', () => (answers.shift() ?? well)(), { limit: 2, awayLimit: 6 });
  await broker.announce(tagged('x'));
  await until('it is told', () => hl7.log.lines.some(({ fields }) => fields.event === 'delivery.done'));
  expect(hl7.told).toHaveLength(9);
  expect(await letters(broker)).toEqual([]);
});

test('away for longer than it may: dead; a replay begins anew', async () => {
  const broker = await open(['hl7']);
  const hl7 = await attach(broker, 'hl7', away, { limit: 0, awayLimit: 2 });
  await broker.announce(tagged('x'));
  await until('it is dead', async () => (await broker.sinkDepths())[0]!.dead === 1);
  expect(hl7.told).toHaveLength(3);
  await letters(broker, 'replay');
  await until('it is dead again', async () => hl7.told.length > 3 && (await broker.sinkDepths())[0]!.dead === 1);
  expect(hl7.told).toHaveLength(6);
});

test('two workers deliver one after the other; when one is cut off, the other goes on', async () => {
  let inHand = 0;
  let most = 0;
  const slowly = async () => {
    most = Math.max(most, ++inHand);
    await new Promise((resolve) => setTimeout(resolve, 30));
    inHand--;
  };
  const [one, two] = [await open(['hl7']), await open(['hl7'])];
  const [first, second] = [await attach(one, 'hl7', slowly), await attach(two, 'hl7', slowly)];
  for (let n = 0; n < 20; n++) await one.announce(tagged(`r${n}`));
  await until('some are told', () => first.told.length >= 5);
  expect(second.told).toEqual([]);
  await one.stop(1_000);
  await until('the other goes on', () => new Set([...first.told, ...second.told]).size === 20);
  expect(most).toBe(1);
});

test('a queue that nobody reads any more is named, and its dead letters stay within reach', async () => {
  await (await open(['hl7'])).stop(0);
  const broker = await open([]);
  await broker.announce(tagged('x'));
  expect(await broker.unreadSinks()).toMatchObject([
    { queues: { sink: 'hl7', queue: { name: `${bench.prefix}.result.hl7` } }, messages: 1, consumers: 0 },
  ]);
  await broker.publish('', `${bench.prefix}.result.hl7.dead`, Buffer.from(JSON.stringify(RESULT)), { mandatory: true });
  expect((await letters(broker, 'drop')).map(({ queue }) => queue)).toEqual(['hl7']);
});
