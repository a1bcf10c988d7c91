import type { GetMessage } from 'amqplib';
import { describeLetter } from '../../src/queue/dead-letters';

const UID = '1.2.826.0.1.3680043.8.498.1';
const message = (content: unknown, headers: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  ({
    content: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
    properties: { headers, messageId: 'm', timestamp: undefined, ...more },
  }) as unknown as Pick<GetMessage, 'content' | 'properties'>;
const history = (...attempts: unknown[]) => ({ 'x-hilum-history': JSON.stringify(attempts) });
const AT = '2026-03-01T10:00:00.000Z';

test('the time of death is that of the last try, else that of the message', () => {
  expect(describeLetter(message({}, history({ attempt: 1, at: AT, code: 'NOT_FOUND' }), { timestamp: 5 })).diedAt).toBe(
    AT,
  );
  expect(describeLetter(message({}, {}, { timestamp: 1_772_359_200 })).diedAt).toBe(AT);
  expect(describeLetter(message({})).diedAt).toBeNull();
});

test('the id is the same at every look and differs with body, message id and history', () => {
  const variants = [
    message({ a: 1 }),
    message({ a: 2 }),
    message({ a: 1 }, {}, { messageId: 'n' }),
    message({ a: 1 }, history({ attempt: 1, at: AT, code: 'X' })),
  ];
  const ids = variants.map((variant) => describeLetter(variant).id);
  expect(new Set(ids).size).toBe(4);
  expect(variants.map((variant) => describeLetter(variant).id)).toEqual(ids);
});

test.each([
  ['no JSON', '{'],
  ['null', null],
  ['a number', 7],
  ['a UID that is none', { studyInstanceUid: 'Doe^Jane' }],
  ['another type', { studyInstanceUid: 1 }],
])('a body that is %s names no study', (_name, body) => {
  expect(describeLetter(message(body)).studyInstanceUid).toBeNull();
});

test('what anybody may have put into the headers is not passed on', () => {
  const odd = describeLetter(
    message(
      { studyInstanceUid: UID },
      {
        'x-hilum-reason': '\u001b[2J Doe^Jane',
        'x-hilum-lost': 'many',
        ...history({ attempt: 1, at: 'Doe^Jane', code: 'X' }, { attempt: 2, at: AT, code: '\u001b[31m' }),
      },
    ),
  );
  expect(odd).toMatchObject({
    studyInstanceUid: UID,
    reason: 'UNKNOWN',
    lost: 0,
    diedAt: AT,
    attempts: [{ attempt: 2, at: AT, code: 'UNKNOWN' }],
  });
  expect(JSON.stringify(odd)).not.toMatch(/Doe|\\u001b/);
});
