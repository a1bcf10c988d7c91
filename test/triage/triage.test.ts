import { HilumError } from '../../src/base/errors';
import { parseConfig } from '../../src/config/config';
import { parseUid } from '../../src/dicom/uid';
import type { PriorityRule } from '../../src/triage/config';
import type { FilmAttributes } from '../../src/triage/rules';
import { createTriage, type FilmDirectory } from '../../src/triage/triage';
import { recordingLog } from '../support/records/logs';

const RULES: PriorityRule[] = [{ StudyPriorityID: ['STAT'] }, { ViewPosition: ['AP'] }];
const event = (more: Record<string, unknown> = {}) =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 1,
      type: 'study-stable',
      studyInstanceUid: '1.2.3',
      occurredAt: '2026-03-01T10:15:30Z',
      ...more,
    }),
  );
const uid = (n: number) => parseUid(`1.2.3.${n}`);

interface FakeSeries {
  readonly modality: string;
  readonly film?: FilmAttributes | HilumError | 'never';
  readonly instances?: number;
}

/** An archive with these series, numbered from 1, and what was asked of it. */
function fake(series: readonly FakeSeries[] | HilumError | 'never', rules = RULES) {
  const asked: string[] = [];
  const log = recordingLog();
  const answer = <T>(given: T | HilumError | 'never'): Promise<T> =>
    given === 'never'
      ? new Promise<T>(() => {})
      : given instanceof HilumError
        ? Promise.reject(given)
        : Promise.resolve(given);
  const archive: FilmDirectory = {
    findSeries: (study) => {
      asked.push(study);
      return answer(
        series === 'never' || series instanceof HilumError
          ? series
          : series.map(({ modality, instances = null }, index) => ({
              modality,
              seriesInstanceUid: uid(index + 1),
              instances,
            })),
      );
    },
    sampleAttributes: (_study, wanted, _attributes, { instances }) => {
      asked.push(instances === null ? wanted : `${wanted} of ${instances}`);
      const index = Number(wanted.split('.').at(-1)) - 1;
      return answer((series as readonly FakeSeries[])[index]!.film ?? {});
    },
  };
  return { asked, log, classify: createTriage({ archive, rules, timeoutMs: 60, log }) };
}

const gone = new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'the archive is away');

test.each([
  ['a film meets a rule', [{ modality: 'CR', film: { StudyPriorityID: ['stat'] } }], 'urgent'],
  ['no film meets one', [{ modality: 'CR', film: { ViewPosition: ['PA'] } }], 'routine'],
  ['a film that says nothing', [{ modality: 'DX' }], 'routine'],
  [
    'the film of another series meets one',
    [
      { modality: 'CR', film: { ViewPosition: ['PA'] } },
      { modality: 'DX', film: { ViewPosition: ['AP'] } },
    ],
    'urgent',
  ],
  ['what is no film does not count', [{ modality: 'CT', film: { StudyPriorityID: ['STAT'] } }], 'routine'],
  ['an empty study', [], 'routine'],
  [
    'one series fails, another decides',
    [
      { modality: 'CR', film: gone },
      { modality: 'DX', film: { ViewPosition: ['AP'] } },
    ],
    'urgent',
  ],
] as const)('%s: %s', async (_name, series, expected) => expect(await fake(series).classify(event())).toBe(expected));

test.each([
  ['the archive is away', gone],
  ['the archive does not answer', 'never'],
  ['one film can not be asked, the others say nothing', [{ modality: 'CR', film: gone }, { modality: 'CR' }]],
  ['one film does not answer', [{ modality: 'CR', film: 'never' }]],
] as const)('%s: undecided in bounded time, with a line at info', async (_name, series) => {
  const { classify, log } = fake(series);
  const started = Date.now();
  expect(await classify(event())).toBeNull();
  expect(Date.now() - started).toBeLessThan(2_000);
  expect(log.lines).toEqual([
    expect.objectContaining({
      level: 'info',
      fields: expect.objectContaining({ event: 'triage.undecided', study: '1.2.3' }) as unknown,
    }),
  ]);
});

test.each(['urgent', 'routine'] as const)(
  'an event that says %s is believed, and the archive not asked',
  async (priority) => {
    const { classify, asked } = fake([
      { modality: 'CR', film: { ViewPosition: [priority === 'urgent' ? 'PA' : 'AP'] } },
    ]);
    expect(await classify(event({ priority }))).toBe(priority);
    expect(asked).toEqual([]);
  },
);

test('what is no study event is left to the worker, without a line and without a question', async () => {
  const { classify, asked, log } = fake([]);
  for (const body of [Buffer.from('?'), event({ schemaVersion: 7 }), event({ priority: 'high' })])
    expect(await classify(body)).toBeNull();
  expect([asked, log.lines]).toEqual([[], []]);
});

test('without rules nobody is asked', async () => {
  const { classify, asked } = fake([{ modality: 'CR' }], []);
  expect(await classify(event())).toBe('routine');
  expect(asked).toEqual([]);
});

test('at most four series are looked into; others than films never', async () => {
  const { classify, asked } = fake([{ modality: 'SR' }, ...Array.from({ length: 9 }, () => ({ modality: 'CR' }))]);
  expect(await classify(event())).toBe('routine');
  expect(asked).toEqual(['1.2.3', uid(2), uid(3), uid(4), uid(5)]);
});

test('how many instances a series has, where the archive tells, goes along', async () => {
  const { classify, asked } = fake([
    { modality: 'CR', instances: 1 },
    { modality: 'DX', instances: 3 },
    { modality: 'CR' },
  ]);
  await classify(event());
  expect(asked).toEqual(['1.2.3', `${uid(1)} of 1`, `${uid(2)} of 3`, uid(3)]);
});

test('the rules by default know STAT and HIGH, and no view', async () => {
  const { rules } = parseConfig({ archive: { url: 'http://a' }, broker: { url: 'amqp://b' } }).priority;
  const classify = (film: FilmAttributes) => fake([{ modality: 'CR', film }], rules).classify(event());
  for (const film of [
    { StudyPriorityID: ['HIGH'] },
    { StudyPriorityID: ['STAT'] },
    { RequestedProcedurePriority: ['STAT'] },
    { RequestedProcedurePriority: ['High '] },
  ])
    expect(await classify(film)).toBe('urgent');
  for (const film of [
    { StudyPriorityID: ['LOW'] },
    { RequestedProcedurePriority: ['ROUTINE'] },
    { ViewPosition: ['AP'] },
  ])
    expect(await classify(film)).toBe('routine');
});

test('no line quotes what a film says', async () => {
  const { classify, log } = fake([
    { modality: 'CR', film: { StudyPriorityID: ['STAT'], StudyDescription: ['Doe^Jane'] } },
  ]);
  await classify(event());
  expect(log.lines).toEqual([
    expect.objectContaining({
      level: 'info',
      fields: { event: 'triage.decided', study: '1.2.3', priority: 'urgent', rule: 0 },
    }),
  ]);
});
