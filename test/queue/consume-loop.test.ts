import { HilumError } from '../../src/base/errors';
import { parseStudyEvent, type StudyEvent } from '../../src/events/study-event';
import { createConsumer, type Settled } from '../../src/queue/consume-loop';
import type { ConsumedMessage } from '../../src/queue/message';
import { LOSS_LIMIT } from '../../src/queue/retry-policy';
import { consumedMessage } from '../support/broker/consumed-message';
import { recordingLog } from '../support/records/logs';

const EVENT = {
  schemaVersion: 1,
  type: 'study-stable',
  studyInstanceUid: '1.2.3',
  occurredAt: '2026-03-01T10:15:30.000Z',
};
const RETRY = { delaysMs: [5_000], limit: 1, awayLimit: 1 };
const away = new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'x');
const refused = new HilumError('ARCHIVE_REFUSED', 'permanent', 'x');
const returned = new HilumError('STUDY_RETURNED', 'transient', 'x');

async function run(work: () => Promise<void>, more: Partial<ConsumedMessage> = {}) {
  const message = consumedMessage(Buffer.from(JSON.stringify(EVENT)), more);
  const told: Settled<StudyEvent>[] = [];
  const order: string[] = [];
  const log = recordingLog();
  const consumer = createConsumer({
    parse: parseStudyEvent,
    work: async (_event, _message, studyLog) => {
      order.push('work');
      studyLog.info({ event: 'study.done' }, 'x');
      await work();
    },
    retry: RETRY,
    log,
    report: (settled) => {
      order.push(message.isSettled ? 'reported too late' : 'report');
      told.push(settled);
    },
  });
  await consumer(message);
  return { settled: message.settled, order, told: told[0]!, count: told.length, lines: log.lines };
}

const well = () => Promise.resolve();
const WORKED = ['work', 'report'];

test.each<[string, () => Promise<void>, Partial<ConsumedMessage>, string, string[]]>([
  ['success', well, {}, 'ack', WORKED],
  ['a failure that passes', () => Promise.reject(away), {}, 'retry 5000 ARCHIVE_UNREACHABLE', WORKED],
  ['a failure that lasts', () => Promise.reject(refused), {}, 'dead ARCHIVE_REFUSED', WORKED],
  ['a study returned', () => Promise.reject(returned), {}, 'continue later', WORKED],
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a defect of a library may do
  ['nothing thrown', () => Promise.reject(undefined), {}, 'retry 5000 UNKNOWN', WORKED],
  ['no event', well, { body: Buffer.from('{') }, 'dead EVENT_INVALID', ['report']],
  ['redelivered', well, { redelivered: true }, 'requeue 0', ['report']],
  ['redelivered after a restart', well, { redelivered: true, outlivedBroker: true }, 'continue later', ['report']],
  ['lost too often', well, { redelivered: true, lost: LOSS_LIMIT }, 'dead WORKER_LOST', ['report']],
])('%s is reported once, then settled once', async (_name, work, more, expected, steps) => {
  const { settled, order, count } = await run(work, more);
  expect(settled).toEqual([expected]);
  expect(order).toEqual(steps);
  expect(count).toBe(1);
});

test('what is reported: the event, the try and the error, in a log that names the study', async () => {
  const { told, lines } = await run(() => Promise.reject(away), { attempt: 2, lost: 3 });
  expect(told).toMatchObject({
    settlement: { kind: 'retry', isAway: true },
    event: { studyInstanceUid: '1.2.3' },
    fields: { attempt: 2, lost: 3, error: 'ARCHIVE_UNREACHABLE: x' },
  });
  told.log.info({ event: 'study.retry' }, 'x');
  expect(lines.map(({ fields }) => fields['study'])).toEqual(['1.2.3', '1.2.3']);
});

test('a redelivered message is reported with its event, where it can be read', async () => {
  const more = { redelivered: true };
  expect((await run(well, more)).told.event?.studyInstanceUid).toBe('1.2.3');
  expect((await run(well, { ...more, body: Buffer.from('?') })).told.event).toBeNull();
});

test('a try that found the archive away is marked as such for the retry', async () => {
  const counted: unknown[] = [];
  const retry = (...how: unknown[]) => Promise.resolve(void counted.push(how));
  await run(() => Promise.reject(away), { retry });
  expect(counted).toEqual([[5_000, 'ARCHIVE_UNREACHABLE', true]]);
});
