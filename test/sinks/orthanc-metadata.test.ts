import { metadataChanges, type MetadataValues, readTriage } from '../../src/sinks/orthanc-metadata/message';
import { type MetadataServer, metadataSink, type Revised } from '../../src/sinks/orthanc-metadata/sink';
import { RECORD, RESULT, resultOf, withProbability } from '../support/records/result-record';

const KEY = RECORD.key;
const NONE = { priority: '', probability: '', written: '' };
const ours = (priority: string) => ({ priority, probability: '0.9300', written: `${priority} 0.9300 ${KEY}` });
const routine = { ...RECORD, priority: 'routine' as const };

test.each([
  [
    'nothing is there',
    RECORD,
    NONE,
    [
      ['written', `HIGH 0.9300 ${KEY}`],
      ['probability', '0.9300'],
      ['priority', 'HIGH'],
    ],
  ],
  ['it is there already', RECORD, ours('HIGH'), []],
  ['a crash came before the priority', RECORD, { ...ours('HIGH'), priority: '' }, [['priority', 'HIGH']]],
  [
    'our own was higher',
    routine,
    ours('HIGH'),
    [
      ['priority', 'MEDIUM'],
      ['written', `MEDIUM 0.9300 ${KEY}`],
    ],
  ],
  [
    'a person had set a higher one',
    routine,
    { ...NONE, priority: 'HIGH' },
    [
      ['written', `MEDIUM 0.9300 ${KEY}`],
      ['probability', '0.9300'],
    ],
  ],
  ['a person raised ours', routine, { ...ours('MEDIUM'), priority: 'HIGH' }, []],
  [
    'a person had set a lower one',
    RECORD,
    { ...NONE, priority: 'LOW' },
    [
      ['written', `HIGH 0.9300 ${KEY}`],
      ['probability', '0.9300'],
      ['priority', 'HIGH'],
    ],
  ],
  ['a person wrote a word of their own', RECORD, { ...ours('HIGH'), priority: 'STAT' }, []],
  ['nothing was analysed', { ...RECORD, priority: null }, NONE, null],
] as const)('%s', (_name, record, there, expected) => expect(metadataChanges(record, there)).toEqual(expected));

test.each([
  [NONE, { priority: null, probability: null, setBy: null }],
  [ours('HIGH'), { priority: 'HIGH', probability: 0.93, setBy: 'hilum' }],
  [
    { ...ours('HIGH'), priority: 'LOW' },
    { priority: 'LOW', probability: 0.93, setBy: 'other' },
  ],
  [
    { ...NONE, priority: 'STAT', probability: 'much' },
    { priority: 'unknown', probability: null, setBy: 'other' },
  ],
])('a worklist reads %j as %j', (values, expected) => expect(readTriage(values)).toEqual(expected));

/** Revisions as Orthanc counts them with CheckRevisions; `interfere` changes a value before the first write. */
function memory(interfere?: (values: Map<number, Revised>) => void): MetadataServer & { values: Map<number, Revised> } {
  const values = new Map<number, Revised>();
  let isDone = false;
  return {
    values,
    find: () => Promise.resolve(['a']),
    read: (_id, index) => Promise.resolve(values.get(index) ?? { value: '', etag: '' }),
    write: (_id, index, value, etag) => {
      if (!isDone) interfere?.(values);
      isDone = true;
      const there = values.get(index);
      if ((there?.etag ?? '') !== etag) return Promise.resolve(false);
      values.set(index, { value, etag: `"${Number(there?.etag.slice(1, -1) ?? -1) + 1}"` });
      return Promise.resolve(true);
    },
    probe: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

const INDEXES = { priority: 1024, probability: 1025, written: 1026 };

test('what somebody sets while it is written is read anew, and stays', async () => {
  const server = memory((values) => values.set(1024, { value: 'STAT', etag: '"7"' }));
  await metadataSink(server, INDEXES).deliver(resultOf(RECORD));
  expect(server.values.get(1024)?.value).toBe('STAT');
  expect(server.values.get(1025)?.value).toBe('0.9300');
});

const LATER = { ...RECORD, key: '2.25.7' as typeof KEY, films: [withProbability(RECORD.films[0]!, 0.4)] };
const WITHDRAWN = {
  ...LATER,
  priority: null,
  films: [{ ...RECORD.films[1]!, supersedes: ['1.2.3' as typeof KEY] }],
};
const RESULTS = {
  HIGH: { ...LATER, priority: 'urgent' },
  MEDIUM: { ...LATER, priority: 'routine' },
  none: WITHDRAWN,
} as const;

describe.each([
  ['nothing is there', NONE],
  ["Hilum's MEDIUM is there", ours('MEDIUM')],
  ["Hilum's HIGH is there", ours('HIGH')],
  ["a person's LOW is there", { ...NONE, priority: 'LOW' }],
  ["a person's LOW stands where Hilum had MEDIUM", { ...ours('MEDIUM'), priority: 'LOW' }],
])('a delivery is interrupted, and %s', (_there, start) => {
  const words = ['HIGH', 'MEDIUM', 'none'] as const;
  const cases = words.flatMap((first) =>
    [0, 1, 2, 3].flatMap((writes) => words.map((next) => [first, writes, next] as const)),
  );
  test.each(cases)('of %s after %d writes: the delivery of %s ends as ever', (first, writes, next) => {
    const half = written(start, RESULTS[first], writes);
    const end = written(half, RESULTS[next]);
    expect(end).toEqual(written(start, RESULTS[next]));
    expect(readTriage(end).setBy).toBe('hilum');
  });
});

/** The metadata after the first of the changes for a result. */
function written(there: MetadataValues, record: Parameters<typeof metadataChanges>[0], writes = 3): MetadataValues {
  return { ...there, ...Object.fromEntries((metadataChanges(record, there) ?? []).slice(0, writes)) };
}

test('a connection is lost while the priority is lowered: the next try ends in MEDIUM', async () => {
  const server = memory();
  await metadataSink(server, INDEXES).deliver(resultOf(RECORD));
  const lost = new Error('lost');
  const write: MetadataServer['write'] = (id, index, ...rest) =>
    index === INDEXES.probability ? Promise.reject(lost) : server.write(id, index, ...rest);
  const delivery = { kind: 'withdrawal', record: { ...RECORD, ...WITHDRAWN } } as const;
  await expect(metadataSink({ ...server, write }, INDEXES).deliver(delivery)).rejects.toBe(lost);
  await metadataSink(server, INDEXES).deliver(delivery);
  expect([1024, 1025].map((index) => server.values.get(index)?.value)).toEqual(['MEDIUM', '']);
});

test('a study that Orthanc does not have, and one that changes at each try', async () => {
  await expect(
    metadataSink({ ...memory(), find: () => Promise.resolve([]) }, INDEXES).deliver(resultOf(RECORD)),
  ).rejects.toMatchObject({ code: 'NOT_FOUND', lasting: 'permanent' });
  await expect(
    metadataSink({ ...memory(), write: () => Promise.resolve(false) }, INDEXES).deliver(resultOf(RECORD)),
  ).rejects.toMatchObject({ code: 'RECEIVER_UNAVAILABLE', lasting: 'transient' });
});

test('results without an analysed film are not wanted', () => {
  expect(metadataSink(memory(), INDEXES).wants(RESULT)).toBe(true);
  expect(metadataSink(memory(), INDEXES).wants({ ...RESULT, priority: null })).toBe(false);
});
