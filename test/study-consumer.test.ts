import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HilumError } from '../src/base/errors';
import { NOT_ANALYSED_REASONS, WARNINGS } from '../src/events/closed-lists';
import { parseUid } from '../src/dicom/uid';
import type { ResultEvent } from '../src/events/result-event';
import { MAX_EVENT_BYTES, parseStudyEvent } from '../src/events/study-event';
import { UnavailableError } from '../src/net/http';
import type { ConsumedMessage } from '../src/queue/message';
import { LOSS_LIMIT } from '../src/queue/retry-policy';
import { createStudyConsumer, type StudyConsumerOptions } from '../src/study-consumer';
import { consumedMessage } from './support/broker/consumed-message';
import { recordingLog } from './support/records/logs';

const DOCS = join(__dirname, '../docs');
const events = readFileSync(join(DOCS, 'events.md'), 'utf8');
/** The example that docs/events.md marks with a name. */
const example = (name: string): Record<string, unknown> =>
  JSON.parse(new RegExp(`\`\`\`json ${name}\n([^]*?)\n\`\`\``).exec(events)![1]!) as Record<string, unknown>;
const schema = (name: string) =>
  JSON.parse(readFileSync(join(DOCS, 'schemas', name), 'utf8')) as Record<string, unknown>;
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const EVENT = example('study-event');

describe('the study event', () => {
  test('the documented example', () => {
    expect(parseStudyEvent(bytes(EVENT))).toEqual(EVENT);
  });

  test.each([
    ['an unknown key', { ...EVENT, hint: 'new' }],
    ['no source', { ...EVENT, source: undefined }],
    ['a source without AE title', { ...EVENT, source: { system: 'pacs' } }],
    ['a wish to read anew', { ...EVENT, reanalyze: true, compare: true }],
    ['a priority', { ...EVENT, priority: 'urgent' }],
    [
      'a UID with the padding that archives leave',
      { ...EVENT, studyInstanceUid: `${String(EVENT['studyInstanceUid'])}\0 ` },
    ],
    ['another time zone', { ...EVENT, occurredAt: '2026-03-01T11:15:30+01:00' }],
  ])('%s is taken', (_name, event) =>
    expect(parseStudyEvent(bytes(event)).studyInstanceUid).toBe(EVENT.studyInstanceUid),
  );

  const BAD: readonly [string, unknown][] = [
    ['another schema version', { ...EVENT, schemaVersion: 2 }],
    ['a version that is a text', { ...EVENT, schemaVersion: '1' }],
    ['another type', { ...EVENT, type: 'study-result' }],
    ['no UID', { ...EVENT, studyInstanceUid: undefined }],
    ['a UID that is none', { ...EVENT, studyInstanceUid: 'Doe^Jane' }],
    ['a UID that leads elsewhere', { ...EVENT, studyInstanceUid: '1.2/../../instances' }],
    ['a priority that is none', { ...EVENT, priority: 'high' }],
    ['no time', { ...EVENT, occurredAt: undefined }],
    ['a time that is none', { ...EVENT, occurredAt: 'yesterday' }],
    ['a wish that is no yes or no', { ...EVENT, reanalyze: 'yes' }],
    ['a list', [EVENT]],
    ['null', null],
    ['no JSON', '{"schemaVersion": 1,'],
    ['nothing', ''],
  ];

  test.each(BAD)('%s is EVENT_INVALID for good, and not quoted', (_name, event) => {
    expect(() => parseStudyEvent(bytes(event))).toThrow(
      expect.objectContaining({
        code: 'EVENT_INVALID',
        lasting: 'permanent',
        message: expect.not.stringContaining('Doe') as string,
      }) as Error,
    );
  });

  test('bytes that are no UTF-8, and too many bytes', () => {
    expect(() => parseStudyEvent(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not JSON in UTF-8');
    const long = bytes({ ...EVENT, hint: 'x'.repeat(MAX_EVENT_BYTES) });
    expect(() => parseStudyEvent(long)).toThrow('longer than');
  });

  test('the JSON Schema says the same', () => {
    const reader = z.fromJSONSchema(schema('study-event.v1.json'));
    expect(reader.safeParse(EVENT).success).toBe(true);
    for (const [, event] of BAD.filter(([name]) => !['no JSON', 'nothing'].includes(name)))
      expect(reader.safeParse(JSON.parse(JSON.stringify(event))).success).toBe(false);
  });
});

describe('the result event', () => {
  const definition = schema('result-event.v1.json');
  const reader = z.fromJSONSchema(definition);
  const RESULT = example('result-event');

  test('the documented example fits its schema', () => {
    expect(reader.safeParse(RESULT)).toMatchObject({ success: true });
    expect(reader.safeParse({ ...RESULT, priority: 'high' }).success).toBe(false);
  });

  test('schema and documentation list every reason and no other', () => {
    const { $defs } = definition as { $defs: { film: { properties: { reason: { enum: (string | null)[] } } } } };
    expect($defs.film.properties.reason.enum).toEqual([...NOT_ANALYSED_REASONS, null]);
    const table = events.slice(events.indexOf('### Reasons for not analysing'), events.indexOf('### Warnings'));
    expect([...table.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])).toEqual([...NOT_ANALYSED_REASONS]);
  });

  test('likewise every warning', () => {
    const { $defs } = definition as {
      $defs: { film: { properties: { warnings: { items: { examples: string[] } } } } };
    };
    expect($defs.film.properties.warnings.items.examples).toEqual([...WARNINGS]);
    const table = events.slice(events.indexOf('### Warnings'), events.indexOf('\n## ', events.indexOf('### Warnings')));
    expect([...table.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])).toEqual([...WARNINGS]);
  });
});

const POLICY = { delaysMs: [5_000, 30_000, 300_000, 1_800_000], limit: 6 };
const transient = new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'x');
const permanent = new HilumError('ENCODE_FAILED', 'permanent', 'x');
const returned = new HilumError('STUDY_RETURNED', 'transient', 'x');
const message = (more: Partial<ConsumedMessage> = {}) => consumedMessage(bytes(EVENT), more);

const RESULT = example('result-event') as unknown as ResultEvent;

describe('the study consumer', () => {
  const run = async (runStudy: StudyConsumerOptions['runStudy'], more: Partial<ConsumedMessage> = {}) => {
    const log = recordingLog();
    const taken = message(more);
    await createStudyConsumer({ runStudy, retry: POLICY, log })(taken);
    return { settled: taken.settled, lines: log.lines };
  };

  test.each<[string, StudyConsumerOptions['runStudy'], Partial<ConsumedMessage>, string[]]>([
    ['done', () => Promise.resolve(RESULT), {}, ['analysing 1']],
    ['nothing new', () => Promise.resolve(null), {}, ['analysing 1', 'nothing new']],
    ['gone', () => Promise.resolve('gone'), {}, ['analysing 1', 'nothing new']],
    ['transient', () => Promise.reject(transient), { attempt: 2 }, ['analysing 2', 'retry ARCHIVE_UNREACHABLE 30000']],
    ['permanent', () => Promise.reject(permanent), {}, ['analysing 1', 'failed ENCODE_FAILED']],
    ['returned', () => Promise.reject(returned), {}, ['analysing 1', 'returned']],
    ['redelivered', () => Promise.resolve(RESULT), { redelivered: true }, ['returned']],
    ['lost too often', () => Promise.resolve(RESULT), { redelivered: true, lost: LOSS_LIMIT }, ['failed WORKER_LOST']],
    ['no study event', () => Promise.resolve(RESULT), { body: bytes('{') }, []],
  ])('tells of a study on its way: %s', async (_name, runStudy, more, expected) => {
    const told: string[] = [];
    const progress = {
      analysing: (study: string, attempt: number) =>
        void told.push(study === EVENT.studyInstanceUid ? `analysing ${attempt}` : study),
      returned: () => void told.push('returned'),
      retry: (_study: string, reason: string, delayMs: number) => void told.push(`retry ${reason} ${delayMs}`),
      failed: (_study: string, reason: string) => void told.push(`failed ${reason}`),
      nothingNew: () => void told.push('nothing new'),
    };
    await createStudyConsumer({ runStudy, retry: POLICY, log: recordingLog(), progress })(message(more));
    expect(told).toEqual(expected);
  });

  test.each<[string, StudyConsumerOptions['runStudy'], Partial<ConsumedMessage>, string]>([
    ['done', () => Promise.resolve(RESULT), {}, 'ack'],
    ['nothing new', () => Promise.resolve(null), {}, 'ack'],
    ['gone', () => Promise.resolve('gone'), {}, 'ack'],
    ['transient', () => Promise.reject(transient), {}, 'retry 5000 ARCHIVE_UNREACHABLE'],
    ['transient, for the last time', () => Promise.reject(transient), { attempt: 7 }, 'dead ARCHIVE_UNREACHABLE'],
    ['permanent', () => Promise.reject(permanent), {}, 'dead ENCODE_FAILED'],
    ['returned', () => Promise.reject(returned), {}, 'continue later'],
    [
      'thrown at once',
      () => {
        throw new RangeError('Doe^Jane');
      },
      {},
      'retry 5000 UNKNOWN',
    ],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a defect of a library may do
    ['nothing thrown', () => Promise.reject(undefined), {}, 'retry 5000 UNKNOWN'],
    ['no study event', () => Promise.resolve(RESULT), { body: Buffer.from('Doe^Jane') }, 'dead EVENT_INVALID'],
    ['redelivered', () => Promise.reject(permanent), { redelivered: true }, 'requeue 0'],
    ['lost too often', () => Promise.resolve(RESULT), { redelivered: true, lost: LOSS_LIMIT }, 'dead WORKER_LOST'],
    ['lost before, fresh now', () => Promise.resolve(RESULT), { lost: 3 }, 'ack'],
  ])('%s is settled exactly once, and no line quotes anything', async (_name, runStudy, more, expected) => {
    const { settled, lines } = await run(runStudy, more);
    expect(settled).toEqual([expected]);
    expect(JSON.stringify(lines)).not.toContain('Doe');
  });

  test('a study that is gone is counted and logged as such', async () => {
    const counted: string[] = [];
    const log = recordingLog();
    const observer = { study: (result: string) => void counted.push(result) };
    await createStudyConsumer({ runStudy: () => Promise.resolve('gone'), retry: POLICY, log, observer })(message());
    expect(counted).toEqual(['gone']);
    expect(log.lines.at(-1)).toMatchObject({ level: 'info', fields: { event: 'study.gone' } });
  });

  test.each([
    ['far beyond every delay: the longest', 86_400_000, 1_800_000],
    ['between two delays: the longer', 60_000, 300_000],
  ])('a Retry-After %s, in the log as in the queue', async (_name, retryAfterMs, expected) => {
    const error = new UnavailableError('x', retryAfterMs);
    const { settled, lines } = await run(() => Promise.reject(error));
    expect(settled).toEqual([`retry ${expected} ARCHIVE_UNAVAILABLE`]);
    expect(lines.at(-1)?.fields).toMatchObject({ event: 'study.retry', delaySeconds: expected / 1000 });
  });

  test('settles last', async () => {
    const order: string[] = [];
    await run(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push('worked');
        return RESULT;
      },
      { ack: async () => void order.push('settled') },
    );
    expect(order).toEqual(['worked', 'settled']);
  });

  test.each([
    [{}, { redelivered: false, attempt: 1, reanalyze: false, compare: true }],
    [{ lost: 1 }, { redelivered: true, attempt: 1, reanalyze: false, compare: true }],
    [{ attempt: 3 }, { redelivered: true, attempt: 3, reanalyze: false, compare: true }],
    [{ hasFailed: true }, { redelivered: true, attempt: 1, reanalyze: false, compare: true }],
    [{ slices: 1 }, { redelivered: true, attempt: 1, reanalyze: false, compare: true }],
    [
      { body: bytes({ ...EVENT, source: { system: 'catch-up' } }) },
      { redelivered: false, attempt: 1, reanalyze: false, compare: true },
    ],
    [
      { body: bytes({ ...EVENT, compareFilms: false }) },
      { redelivered: false, attempt: 1, reanalyze: false, compare: false },
    ],
    [
      { body: bytes({ ...EVENT, reanalyze: true }) },
      { redelivered: false, attempt: 1, reanalyze: true, compare: true },
    ],
    [
      { body: bytes({ ...EVENT, reanalyze: false }) },
      { redelivered: false, attempt: 1, reanalyze: false, compare: true },
    ],
  ])('a delivery tells the line what it is (%#)', async (more, expected) => {
    const told: unknown[] = [];
    await run((study, options) => {
      const { shouldReturn, onUnreadNote, ...others } = options;
      expect(shouldReturn()).toBe(false);
      expect(onUnreadNote).toBeInstanceOf(Function);
      told.push(study, others);
      return Promise.resolve(null);
    }, more);
    expect(told).toEqual([EVENT.studyInstanceUid, expected]);
  });

  test('a key object selection that is left alone is told of, with the reason', async () => {
    const { lines } = await run((_study, { onUnreadNote }) => {
      onUnreadNote(parseUid('2.25.1'), 'unreadable');
      return Promise.resolve(null);
    });
    const unread = { event: 'study.note-unread', instance: '2.25.1', reason: 'unreadable' };
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining(unread) as unknown }),
    );
  });

  test('a study is returned when the service stops, or after a slice; the next delivery has one of its own', async () => {
    let isStopping = false;
    const answers: boolean[] = [];
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const runStudy: StudyConsumerOptions['runStudy'] = async (_study, { shouldReturn }) => {
      answers.push(shouldReturn());
      await wait(80);
      answers.push(shouldReturn());
      isStopping = true;
      return null;
    };
    const listen = (sliceMs: number) =>
      createStudyConsumer({ runStudy, retry: POLICY, log: recordingLog(), sliceMs, isStopping: () => isStopping })(
        message(),
      );
    await listen(60);
    expect(answers).toEqual([false, true]);
    isStopping = false;
    await listen(60_000);
    expect(answers.slice(2)).toEqual([false, false]);
    await listen(60_000);
    expect(answers.slice(4)).toEqual([true, true]);
  });

  test('a returned study is told with its slices', async () => {
    const { lines } = await run(() => Promise.reject(returned), { slices: 2 });
    expect(lines.at(-1)).toMatchObject({
      level: 'info',
      fields: { event: 'study.returned', slices: 3, error: 'STUDY_RETURNED: x' },
    });
  });

  test('logs UIDs, counts and codes, each line with its study', async () => {
    const { lines } = await run(() => Promise.resolve(RESULT));
    expect(lines.map(({ fields }) => fields.event)).toEqual([
      'study.received',
      'film.analysed',
      'film.not-analysed',
      'study.done',
    ]);
    expect(lines.every(({ fields }) => fields['study'] === EVENT.studyInstanceUid)).toBe(true);
    expect(lines.at(-1)?.fields).toMatchObject({
      priority: 'urgent',
      films: 2,
      analysed: 1,
      notAnalysed: 1,
      rejected: 0,
      skippedSeries: 1,
      seconds: expect.any(Number) as number,
    });
    expect(lines[2]?.fields).toMatchObject({ film: '1.2.826.0.1.3680043.8.498.1.2.1', reason: 'lateral-view' });
  });

  test('an error that is not ours is told by its place, without its message', async () => {
    const { lines } = await run(() => Promise.reject(new RangeError('Doe^Jane')));
    expect(lines.at(-1)?.fields['error']).toMatch(/^RangeError at .*study-consumer\.test/);
  });
});
