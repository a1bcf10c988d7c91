import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { deriveUid } from '../../src/dicom/uid';
import {
  encodeProgressEvent,
  MAX_PROGRESS_BYTES,
  parseProgressEvent,
  type ProgressEvent,
  progressNotes,
} from '../../src/events/progress-event';

const DOCS = join(__dirname, '../../docs');
const events = readFileSync(join(DOCS, 'events.md'), 'utf8');
const EVENT = JSON.parse(/```json progress-event\n([^]*?)\n```/.exec(events)![1]!) as Record<string, unknown>;
const schema = JSON.parse(readFileSync(join(DOCS, 'schemas/progress-event.v1.json'), 'utf8')) as Parameters<
  typeof z.fromJSONSchema
>[0];
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const STUDY = deriveUid(['study']);

test('the documented example is read, and its times are milliseconds', () => {
  expect(parseProgressEvent(bytes(EVENT))).toEqual({
    ...EVENT,
    step: { kind: 'retry', reason: 'ARCHIVE_TIMEOUT', retryAt: Date.parse('2026-03-01T10:16:02.000Z') },
    occurredAt: Date.parse('2026-03-01T10:15:32.000Z'),
  });
});

test('every step is told with its time, and comes through the message as it was', () => {
  const told: ProgressEvent[] = [];
  let clock = 1_000;
  const notes = progressNotes(
    (event) => told.push(event),
    () => clock++,
  );
  notes.waiting(STUDY, 'urgent');
  notes.waiting(STUDY, null);
  notes.analysing(STUDY, 2);
  notes.returned(STUDY);
  notes.retry(STUDY, 'ARCHIVE_TIMEOUT', 5_000);
  notes.failed(STUDY, 'WORKER_LOST');
  notes.nothingNew(STUDY);
  expect(told.map(({ step }) => step)).toEqual([
    { kind: 'waiting', priority: 'urgent' },
    { kind: 'waiting', priority: null },
    { kind: 'analysing', attempt: 2 },
    { kind: 'returned' },
    { kind: 'retry', reason: 'ARCHIVE_TIMEOUT', retryAt: 6_004 },
    { kind: 'failed', reason: 'WORKER_LOST' },
    { kind: 'nothing-new' },
  ]);
  expect(told.map(({ occurredAt }) => occurredAt)).toEqual([1_000, 1_001, 1_002, 1_003, 1_004, 1_005, 1_006]);
  const reader = z.fromJSONSchema(schema);
  for (const event of told) {
    const message = encodeProgressEvent(event);
    expect(parseProgressEvent(message)).toEqual(event);
    expect(reader.safeParse(JSON.parse(message.toString()))).toMatchObject({ success: true });
  }
});

test('docs/events.md lists every step and no other', () => {
  const section = events.slice(events.indexOf('## Progress event'), events.indexOf('## Result event'));
  const { properties } = schema as { properties: { step: { oneOf: { properties: { kind: { const: string } } }[] } } };
  expect([...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])).toEqual(
    properties.step.oneOf.map(({ properties: { kind } }) => kind.const),
  );
});

const step = (given: unknown) => ({ ...EVENT, step: given });
const BAD: readonly [string, unknown][] = [
  ['another schema version', { ...EVENT, schemaVersion: 2 }],
  ['another type', { ...EVENT, type: 'study-stable' }],
  ['a UID that is none', { ...EVENT, studyInstanceUid: 'Doe^Jane' }],
  ['a step that nobody knows', step({ kind: 'finished' })],
  ['a reason that is no code', step({ kind: 'failed', reason: 'the film of Doe^Jane' })],
  ['a try before the first', step({ kind: 'analysing', attempt: 0 })],
  ['a retry without its time', step({ kind: 'retry', reason: 'UNKNOWN' })],
  ['a time that is none', { ...EVENT, occurredAt: 'now' }],
  ['null', null],
];

test.each(BAD)('%s is EVENT_INVALID, and not quoted', (_name, event) => {
  expect(() => parseProgressEvent(bytes(event))).toThrow(
    expect.objectContaining({
      code: 'EVENT_INVALID',
      message: expect.not.stringContaining('Doe') as string,
    }) as Error,
  );
  expect(z.fromJSONSchema(schema).safeParse(event).success).toBe(false);
});

test('unknown keys are left alone; a long message is refused', () => {
  expect(parseProgressEvent(bytes({ ...EVENT, hint: 'new' })).studyInstanceUid).toBe(EVENT['studyInstanceUid']);
  expect(() => parseProgressEvent(bytes({ ...EVENT, hint: 'x'.repeat(MAX_PROGRESS_BYTES) }))).toThrow('longer than');
});

test('a worker is named in each step, in characters that the schema takes', () => {
  const told: ProgressEvent[] = [];
  const notes = progressNotes(
    (event) => told.push(event),
    () => 1_000,
    `wörk er:${'9'.repeat(200)}`,
  );
  notes.analysing(STUDY, 1);
  expect(told[0]!.worker).toBe(`w-rk-er:${'9'.repeat(120)}`);
  expect(parseProgressEvent(encodeProgressEvent(told[0]!))).toEqual(told[0]);
  expect(() => parseProgressEvent(bytes({ ...EVENT, worker: '<b>' }))).toThrow('worker');
});
