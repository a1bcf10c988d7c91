import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HilumError } from '../src/base/errors';
import { NOT_ANALYSED_REASONS, WARNINGS } from '../src/events/closed-lists';
import type { ResultEvent } from '../src/events/result-event';
import { MAX_EVENT_BYTES, parseStudyEvent } from '../src/events/study-event';
import { UnavailableError } from '../src/net/http';
import type { BrokerDelivery } from '../src/queue/delivery';
import {
  type Delivery,
  LOSS_LIMIT,
  refusedInARow,
  settle,
  settleRedelivered,
  TOLERATED_LOSSES,
  triesWithin,
} from '../src/queue/settle';
import { createListener, type ListenerOptions } from '../src/study-consumer';
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
    ['a wish to read anew', { ...EVENT, reanalyze: true }],
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
    const reader = z.fromJSONSchema(schema('study-event.v1.json') as Parameters<typeof z.fromJSONSchema>[0]);
    expect(reader.safeParse(EVENT).success).toBe(true);
    for (const [, event] of BAD.filter(([name]) => !['no JSON', 'nothing'].includes(name)))
      expect(reader.safeParse(JSON.parse(JSON.stringify(event))).success).toBe(false);
  });
});

describe('the result event', () => {
  const definition = schema('result-event.v1.json');
  const reader = z.fromJSONSchema(definition as Parameters<typeof z.fromJSONSchema>[0]);
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
    const table = events.slice(events.indexOf('### Warnings'), events.indexOf('## What is promised'));
    expect([...table.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])).toEqual([...WARNINGS]);
  });
});

const POLICY = { delaysMs: [5_000, 30_000, 300_000, 1_800_000], limit: 6 };
const transient = new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'x');
const ambiguous = new HilumError('STORE_AMBIGUOUS', 'ambiguous', 'x');
const permanent = new HilumError('ENCODE_FAILED', 'permanent', 'x');
const unauthorised = new HilumError('ARCHIVE_UNAUTHORISED', 'permanent', 'x');
const returned = new HilumError('STUDY_RETURNED', 'transient', 'x');
const retry = (delayMs: number, reason = 'ARCHIVE_UNREACHABLE') => ({ kind: 'retry', delayMs, reason });
const dead = (reason: string) => ({ kind: 'dead-letter', reason });

describe('what becomes of a delivery', () => {
  test.each([
    ['success', undefined, 1, { kind: 'ack' }],
    ['success after many tries', undefined, 99, { kind: 'ack' }],
    ['transient, first try', transient, 1, retry(5_000)],
    ['transient, second', transient, 2, retry(30_000)],
    ['transient, third', transient, 3, retry(300_000)],
    ['transient, fourth', transient, 4, retry(1_800_000)],
    ['the last delay repeats', transient, 6, retry(1_800_000)],
    ['beyond the limit', transient, 7, dead('ARCHIVE_UNREACHABLE')],
    ['far beyond the limit', transient, 700, dead('ARCHIVE_UNREACHABLE')],
    ['ambiguous', ambiguous, 1, retry(5_000, 'STORE_AMBIGUOUS')],
    ['ambiguous beyond the limit', ambiguous, 7, dead('STORE_AMBIGUOUS')],
    ['permanent', permanent, 1, dead('ENCODE_FAILED')],
    ['a refused sign-in', unauthorised, 1, retry(5_000, 'ARCHIVE_UNAUTHORISED')],
    ['a refused sign-in after an outage', unauthorised, 6, retry(5_000, 'ARCHIVE_UNAUTHORISED')],
    ['an error without a code', new TypeError('Doe^Jane'), 1, retry(5_000, 'UNKNOWN')],
    ['no error at all', 'Doe^Jane', 7, dead('UNKNOWN')],
    ['returned between two films', returned, 1, { kind: 'go-on' }],
    ['returned beyond the limit', returned, 99, { kind: 'go-on' }],
    ['Retry-After beyond the delay', new UnavailableError('x', 60_000), 1, retry(60_000, 'ARCHIVE_UNAVAILABLE')],
    ['Retry-After below the delay', new UnavailableError('x', 10), 1, retry(5_000, 'ARCHIVE_UNAVAILABLE')],
  ] as const)('%s', (_name, error, attempt, expected) =>
    expect(settle(error, { attempt, away: 0, refused: 0 }, POLICY)).toEqual(expected),
  );

  test.each([
    ['once before', 2, 1, retry(30_000, 'ARCHIVE_UNAUTHORISED')],
    ['a third time in a row', 3, 2, retry(300_000, 'ARCHIVE_UNAUTHORISED')],
    ['a fourth time in a row', 4, 3, dead('ARCHIVE_UNAUTHORISED')],
    ['a fourth time in a row, after other failures', 6, 3, dead('ARCHIVE_UNAUTHORISED')],
  ] as const)('sign-in refused %s', (_name, attempt, refused, expected) =>
    expect(settle(unauthorised, { attempt, away: 0, refused }, POLICY)).toEqual(expected),
  );

  test.each([
    [[], 0],
    [['ARCHIVE_TIMEOUT'], 0],
    [['ARCHIVE_UNAUTHORISED'], 1],
    [['ARCHIVE_UNAUTHORISED', 'ARCHIVE_TIMEOUT', 'ARCHIVE_UNAUTHORISED', 'RECEIVER_UNAUTHORISED'], 2],
    [['ARCHIVE_UNAUTHORISED', 'ARCHIVE_TIMEOUT'], 0],
  ])('refused in a row: %j', (codes, expected) => expect(refusedInARow(codes)).toBe(expected));

  test('a limit of none', () => {
    expect(settle(transient, { attempt: 1, away: 0, refused: 0 }, { ...POLICY, limit: 0 })).toEqual(
      dead('ARCHIVE_UNREACHABLE'),
    );
    expect(settle(unauthorised, { attempt: 2, away: 0, refused: 1 }, { ...POLICY, limit: 1 })).toEqual(
      dead('ARCHIVE_UNAUTHORISED'),
    );
  });

  describe('with a limit of its own for the other side being away', () => {
    const policy = { ...POLICY, awayLimit: 40 };
    const failing = new UnavailableError('500', undefined);
    const gone = new UnavailableError('503', undefined, undefined, true);
    const awayRetry = (delayMs: number, reason = 'ARCHIVE_UNREACHABLE') => ({
      ...retry(delayMs, reason),
      isAway: true,
    });
    test.each([
      ['the first time', transient, 1, 0, awayRetry(5_000)],
      ['far beyond the limit of other failures', transient, 40, 39, awayRetry(1_800_000)],
      ['beyond its own', transient, 41, 40, dead('ARCHIVE_UNREACHABLE')],
      ['after other failures, its delays begin anew', transient, 7, 0, awayRetry(5_000)],
      ['503', gone, 30, 29, awayRetry(1_800_000, 'ARCHIVE_UNAVAILABLE')],
      ['back, and failing otherwise: as at its first try', failing, 31, 30, retry(5_000, 'ARCHIVE_UNAVAILABLE')],
      ['failing otherwise too often', failing, 37, 30, dead('ARCHIVE_UNAVAILABLE')],
      ['refusing the sign-in for the first time', unauthorised, 34, 30, retry(5_000, 'ARCHIVE_UNAUTHORISED')],
      ['refusing for good', permanent, 31, 30, dead('ENCODE_FAILED')],
    ] as const)('%s', (_name, error, attempt, away, expected) =>
      expect(settle(error, { attempt, away, refused: 0 }, policy)).toEqual(expected),
    );

    test.each([
      [72 * 3_600_000, 147],
      [5_000, 6],
      [0, 6],
    ])('the delays of %d ms are %d tries, and never fewer than for other failures', (ms, tries) =>
      expect(triesWithin(ms, POLICY)).toBe(tries),
    );
  });

  test.each([
    [0, { kind: 'put-back', counted: true, delayMs: 0 }],
    [TOLERATED_LOSSES - 1, { kind: 'put-back', counted: true, delayMs: 0 }],
    [TOLERATED_LOSSES, { kind: 'put-back', counted: true, delayMs: 5_000 }],
    [TOLERATED_LOSSES + 1, { kind: 'put-back', counted: true, delayMs: 30_000 }],
    [LOSS_LIMIT - 1, { kind: 'put-back', counted: true, delayMs: 1_800_000 }],
    [LOSS_LIMIT, dead('WORKER_LOST')],
  ])('redelivered, lost %d times before', (lost, expected) =>
    expect(settleRedelivered({ lost, outlivedBroker: false }, POLICY)).toEqual(expected),
  );

  test.each([0, LOSS_LIMIT])(
    'redelivered, lost %d times before, but the broker was restarted: put back uncounted',
    (lost) =>
      expect(settleRedelivered({ lost, outlivedBroker: true }, POLICY)).toEqual({
        kind: 'put-back',
        counted: false,
        delayMs: 0,
      }),
  );
});

/** A delivery that writes down how it was settled. */
function delivery(more: Partial<Delivery> = {}): Delivery & { readonly settled: string[] } {
  const settled: string[] = [];
  const note = (what: string) => {
    settled.push(what);
    return Promise.resolve();
  };
  return {
    settled,
    body: bytes(EVENT),
    redelivered: false,
    outlivedBroker: false,
    attempt: 1,
    away: 0,
    refused: 0,
    lost: 0,
    slices: 0,
    ack: () => note('ack'),
    retry: (delayMs, reason) => note(`retry ${delayMs} ${reason}`),
    deadLetter: (reason) => note(`dead ${reason}`),
    putBack: (delayMs) => note(`put back ${delayMs}`),
    goOn: () => note('go on'),
    ...more,
  };
}

const RESULT = example('result-event') as unknown as ResultEvent;

describe('the listener', () => {
  const run = async (runStudy: ListenerOptions['runStudy'], more: Partial<Delivery> = {}) => {
    const log = recordingLog();
    const message = delivery(more);
    await createListener({ runStudy, retry: POLICY, log })(message);
    return { settled: message.settled, lines: log.lines };
  };

  test.each<[string, ListenerOptions['runStudy'], Partial<Delivery>, string[]]>([
    ['done', () => Promise.resolve(RESULT), {}, ['analysing 1']],
    ['nothing new', () => Promise.resolve(null), {}, ['analysing 1', 'nothing new']],
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
    await createListener({ runStudy, retry: POLICY, log: recordingLog(), progress })(delivery(more));
    expect(told).toEqual(expected);
  });

  test.each<[string, ListenerOptions['runStudy'], Partial<Delivery>, string]>([
    ['done', () => Promise.resolve(RESULT), {}, 'ack'],
    ['nothing new', () => Promise.resolve(null), {}, 'ack'],
    ['transient', () => Promise.reject(transient), {}, 'retry 5000 ARCHIVE_UNREACHABLE'],
    ['transient, for the last time', () => Promise.reject(transient), { attempt: 7 }, 'dead ARCHIVE_UNREACHABLE'],
    ['permanent', () => Promise.reject(permanent), {}, 'dead ENCODE_FAILED'],
    ['returned', () => Promise.reject(returned), {}, 'go on'],
    [
      'thrown at once',
      () => {
        throw new RangeError('Doe^Jane');
      },
      {},
      'retry 5000 UNKNOWN',
    ],
    ['nothing thrown', () => Promise.reject(undefined), {}, 'retry 5000 UNKNOWN'],
    ['no study event', () => Promise.resolve(RESULT), { body: Buffer.from('Doe^Jane') }, 'dead EVENT_INVALID'],
    ['redelivered', () => Promise.reject(permanent), { redelivered: true }, 'put back 0'],
    ['lost too often', () => Promise.resolve(RESULT), { redelivered: true, lost: LOSS_LIMIT }, 'dead WORKER_LOST'],
    ['lost before, fresh now', () => Promise.resolve(RESULT), { lost: 3 }, 'ack'],
  ])('%s is settled exactly once, and no line quotes anything', async (_name, runStudy, more, expected) => {
    const { settled, lines } = await run(runStudy, more);
    expect(settled).toEqual([expected]);
    expect(JSON.stringify(lines)).not.toContain('Doe');
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
    [{}, { redelivered: false, attempt: 1, reanalyze: false }],
    [{ lost: 1 }, { redelivered: true, attempt: 1, reanalyze: false }],
    [{ attempt: 3 }, { redelivered: true, attempt: 3, reanalyze: false }],
    [{ slices: 1 }, { redelivered: true, attempt: 1, reanalyze: false }],
    [
      { body: bytes({ ...EVENT, source: { system: 'catch-up' } }) },
      { redelivered: false, attempt: 1, reanalyze: false },
    ],
    [{ body: bytes({ ...EVENT, reanalyze: true }) }, { redelivered: false, attempt: 1, reanalyze: true }],
    [{ body: bytes({ ...EVENT, reanalyze: false }) }, { redelivered: false, attempt: 1, reanalyze: false }],
  ])('a delivery tells the line what it is (%#)', async (more, expected) => {
    const told: unknown[] = [];
    await run((study, options) => {
      const { shouldReturn, ...others } = options;
      expect(shouldReturn()).toBe(false);
      told.push(study, others);
      return Promise.resolve(null);
    }, more);
    expect(told).toEqual([EVENT.studyInstanceUid, expected]);
  });

  test('a study is to be returned when the service stops, and when it was worked on for a slice; the next delivery has a slice of its own', async () => {
    let isStopping = false;
    const answers: boolean[] = [];
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const runStudy: ListenerOptions['runStudy'] = async (_study, { shouldReturn }) => {
      answers.push(shouldReturn());
      await wait(80);
      answers.push(shouldReturn());
      isStopping = true;
      return null;
    };
    const listen = (sliceMs: number) =>
      createListener({ runStudy, retry: POLICY, log: recordingLog(), sliceMs, isStopping: () => isStopping })(
        delivery(),
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

  test("the broker's delivery fits", () => {
    const fits = (broker: BrokerDelivery): Delivery => broker;
    expect(fits).toBeDefined();
  });
});
