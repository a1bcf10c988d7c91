import { HilumError } from '../../src/base/errors';
import { CatchUp, type CatchUpOptions, type CatchUpPorts } from '../../src/catch-up/catch-up';
import { Memory } from '../../src/catch-up/memory';
import type { Batch, Candidate, Source } from '../../src/catch-up/source';
import type { Time } from '../../src/catch-up/event-publisher';
import { parseUid, type Uid } from '../../src/dicom/uid';
import type { StudyEvent } from '../../src/events/study-event';
import { recordingLog } from '../support/records/logs';

const uid = (n: number) => parseUid(`1.2.${n}`);
const candidate = (n: number, more: Partial<Candidate> = {}): Candidate => ({
  studyInstanceUid: uid(n),
  modalities: null,
  instances: 1,
  ...more,
});
const FILM = { modality: 'CR', description: 'Thorax', instances: 1 };
const REPORT = { modality: 'SR', description: 'Hilum report - RESEARCH USE, NOT FOR DIAGNOSIS', instances: 1 };
const NOTE = { modality: 'KO', description: 'Rejected', instances: 1 };
const HEAT_MAP = { modality: 'OT', description: 'Hilum heat map - RESEARCH USE, NOT FOR DIAGNOSIS', instances: 1 };

/** A clock that only sleeping moves. */
class FakeTime implements Time {
  at = Date.UTC(2026, 2, 1);
  readonly slept: number[] = [];
  whileAsleep: () => void = () => {};

  now(): number {
    return this.at;
  }

  async sleep(ms: number): Promise<void> {
    this.at += ms;
    this.slept.push(ms);
    this.whileAsleep();
  }
}

class Setting {
  batches: Candidate[][] = [];
  series = new Map<string, (typeof FILM)[]>();
  /** What a search of many studies shows; null: nothing. */
  listed: Map<Uid, (typeof FILM)[]> | null = null;
  /** Films with a report of their own. */
  covered = new Map<string, number>();
  /** What happened, in order. */
  readonly steps: string[] = [];
  readonly told: { event: StudyEvent; at: number }[] = [];
  waiting = 0;
  refuse: Error | undefined;
  readonly time = new FakeTime();
  readonly log = recordingLog();
  readonly catchUp: CatchUp;

  constructor({ lags = false, ...options }: Partial<CatchUpOptions> & { lags?: boolean } = {}) {
    const source: Source = { lags, batches: () => this.give() };
    const ports: CatchUpPorts = {
      source,
      findSeries: async (study) => {
        this.steps.push(`ask ${study}`);
        const found = this.series.get(study) ?? [FILM];
        return found;
      },
      findSeriesOf: async (studies) => {
        if (this.listed !== null) this.steps.push(`list ${studies.length}`);
        return this.listed ?? new Map();
      },
      coveredFilms: async (study) => {
        this.steps.push(`read ${study}`);
        return this.covered.get(study) ?? Infinity;
      },
      publish: async (event) => {
        if (this.refuse !== undefined) throw this.refuse;
        this.waiting++;
        this.told.push({ event, at: this.time.at });
        this.steps.push(`told ${event.studyInstanceUid}`);
      },
      depth: async () => this.waiting,
    };
    this.catchUp = new CatchUp(
      ports,
      { intervalMs: 300_000, studiesPerMinute: 60_000, queueLimit: 1_000, ...options },
      this.log,
      this.time,
    );
  }

  private async *give(): AsyncGenerator<Batch> {
    for (const [index, studies] of this.batches.entries())
      yield { studies, done: async () => void this.steps.push(`done ${index}`) };
  }

  get studies(): string[] {
    return this.told.map(({ event }) => event.studyInstanceUid);
  }
}

test('two reports of one film never hide another without any; reports are read only where their number leaves it open', async () => {
  const setting = new Setting();
  const films = { ...FILM, instances: 2 };
  const reports = { ...REPORT, instances: 2 };
  setting.series.set(uid(1), [films, reports]);
  setting.series.set(uid(2), [films, reports]);
  setting.series.set(uid(3), [films, REPORT]);
  setting.series.set(uid(4), [FILM, reports]);
  setting.series.set(uid(5), [films, { ...REPORT, instances: 2, isByFilm: true } as typeof REPORT]);
  setting.covered.set(uid(1), 1);
  setting.covered.set(uid(2), 2);
  setting.batches = [[1, 2, 3, 4, 5].map((n) => candidate(n))];
  await setting.catchUp.round();
  expect(setting.studies).toEqual([uid(1), uid(3)]);
  expect(setting.steps.filter((step) => step.startsWith('read'))).toEqual([`read ${uid(1)}`, `read ${uid(2)}`]);
});

test('a study whose films have reports is told when a key object selection is new, and when one is there no more', async () => {
  const setting = new Setting();
  const round = async (instances: number, ...series: (typeof FILM)[]) => {
    setting.series.set(uid(1), series);
    setting.batches = [[candidate(1, { modalities: series.map(({ modality }) => modality), instances })]];
    return (await setting.catchUp.round()).told;
  };
  expect(await round(3, FILM, REPORT, HEAT_MAP)).toBe(0);
  expect(await round(4, FILM, REPORT, HEAT_MAP, NOTE)).toBe(1);
  expect(await round(4, FILM, REPORT, HEAT_MAP, NOTE)).toBe(0);
  // The report of the withdrawal.
  expect(await round(5, FILM, { ...REPORT, instances: 2 }, HEAT_MAP, NOTE)).toBe(0);
  expect(await round(4, FILM, { ...REPORT, instances: 2 }, HEAT_MAP)).toBe(1);
  expect(await round(4, FILM, { ...REPORT, instances: 2 }, HEAT_MAP)).toBe(0);
});

test('the archive hides a film as its note arrives, so that as much is there as before: told all the same', async () => {
  const setting = new Setting();
  const round = async (...series: (typeof FILM)[]) => {
    setting.series.set(uid(1), series);
    setting.batches = [[candidate(1, { modalities: series.map(({ modality }) => modality), instances: null })]];
    return (await setting.catchUp.round()).told;
  };
  expect(await round(FILM, REPORT)).toBe(0);
  expect(await round(NOTE, REPORT)).toBe(1);
  expect(await round(NOTE, REPORT)).toBe(0);
});

test('key object selections of studies without a film and without a report of ours cause no event', async () => {
  const setting = new Setting();
  setting.series.set(uid(1), [{ ...FILM, modality: 'CT' }, NOTE]);
  setting.batches = [[candidate(1), candidate(1, { modalities: ['CT', 'KO'] })]];
  expect((await setting.catchUp.round()).told).toBe(0);
});

test('by pixels, where the site wants it: a study whose films have reports is told once, and again when it was forgotten', async () => {
  const setting = new Setting({ compareFilms: true });
  setting.series.set(uid(1), [FILM, REPORT]);
  setting.series.set(uid(2), [{ ...HEAT_MAP }]);
  setting.batches = [[candidate(1, { instances: 3 }), candidate(2)]];
  for (const expected of [1, 0]) expect(await setting.catchUp.round()).toMatchObject({ told: expected });
  setting.time.at += 7 * 3_600_000;
  expect(await setting.catchUp.round()).toMatchObject({ told: 1 });
  expect(setting.studies).toEqual([uid(1), uid(1)]);
});

test('a study that holds a key object selection, which may reject films, is told when that is new, and again when it was forgotten', async () => {
  const setting = new Setting();
  setting.series.set(uid(1), [FILM, REPORT]);
  setting.batches = [[candidate(1, { instances: 2 })]];
  expect(await setting.catchUp.round()).toMatchObject({ told: 0 });
  setting.series.set(uid(1), [FILM, REPORT, NOTE]);
  setting.batches = [[candidate(1, { instances: 3 })]];
  for (const expected of [1, 0]) expect(await setting.catchUp.round()).toMatchObject({ told: expected });
  setting.series.set(uid(1), [FILM, REPORT, { ...NOTE, instances: 2 }]);
  setting.batches = [[candidate(1, { instances: 4 })]];
  for (const expected of [1, 0]) expect(await setting.catchUp.round()).toMatchObject({ told: expected });
  setting.time.at += 7 * 3_600_000;
  expect(await setting.catchUp.round()).toMatchObject({ told: 1 });
});

test('many studies are listed by few searches; one of which not all is shown is asked for by itself', async () => {
  const setting = new Setting();
  const whole = [FILM, REPORT];
  setting.listed = new Map([
    [uid(1), whole],
    [uid(2), [FILM]],
    [uid(4), [FILM]],
    [uid(5), [{ ...FILM, instances: null as unknown as number }, REPORT]],
  ]);
  for (const n of [2, 3, 5]) setting.series.set(uid(n), whole);
  setting.batches = [[1, 2, 3, 4, 5].map((n) => candidate(n, { instances: n === 4 ? 1 : 2 }))];
  await setting.catchUp.round();
  expect(setting.steps.slice(0, -1)).toEqual([
    'list 5',
    `ask ${uid(2)}`,
    `ask ${uid(3)}`,
    `told ${uid(4)}`,
    `ask ${uid(5)}`,
  ]);
});

const many = (count: number, from = 1) => Array.from({ length: count }, (_, i) => candidate(from + i));

test('each study without a result gets one event, in the order of the source, and a batch is done only after its events are confirmed', async () => {
  const setting = new Setting();
  setting.batches = [[candidate(9), candidate(8)], [candidate(7)]];
  expect(await setting.catchUp.round()).toEqual({ looked: 3, told: 3 });
  expect(setting.steps).toEqual([
    'ask 1.2.9',
    'told 1.2.9',
    'ask 1.2.8',
    'told 1.2.8',
    'done 0',
    'ask 1.2.7',
    'told 1.2.7',
    'done 1',
  ]);
  expect(setting.told[0]!.event).toEqual({
    schemaVersion: 1,
    type: 'study-stable',
    studyInstanceUid: '1.2.9',
    source: { system: 'catch-up' },
    occurredAt: expect.stringMatching(/^2026-03-01T/) as string,
  });
  expect(setting.log.lines.at(-1)).toMatchObject({
    level: 'info',
    fields: { event: 'catch-up.round', looked: 3, told: 3 },
  });
});

test('an unconfirmed event ends the round before its batch is done; the next round begins there', async () => {
  const setting = new Setting();
  setting.batches = [many(2)];
  setting.refuse = new HilumError('BROKER_UNREACHABLE', 'transient', 'gone');
  await expect(setting.catchUp.round()).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  expect(setting.steps).not.toContain('done 0');
  setting.refuse = undefined;
  await setting.catchUp.round();
  expect(setting.studies).toEqual(['1.2.1', '1.2.2']);
  expect(setting.steps.at(-1)).toBe('done 0');
});

test.each([
  ['a film', [FILM], true],
  ['two films, one report', [{ ...FILM, instances: 2 }, HEAT_MAP, REPORT], true],
  [
    'a film and its report, of whatever version',
    [FILM, HEAT_MAP, { ...REPORT, description: 'Hilum report - other words' }],
    false,
  ],
  ['two films, two reports', [{ ...FILM, modality: 'DX', instances: 2 }, REPORT, REPORT], false],
  ['a film and a report by somebody else', [FILM, { ...REPORT, description: 'CAD' }], true],
  ['a film and a heat map alone', [FILM, HEAT_MAP], true],
  ['no film', [{ ...FILM, modality: 'CT' }], false],
  ['nothing', [], false],
])('%s: an event is %j', async (_what, series, expected) => {
  const setting = new Setting();
  setting.series.set('1.2.1', series);
  setting.batches = [[candidate(1)]];
  await setting.catchUp.round();
  expect(setting.told).toHaveLength(expected ? 1 : 0);
});

test('a study whose modalities are known and hold no film costs no query', async () => {
  const setting = new Setting();
  setting.batches = [[candidate(1, { modalities: ['CT', 'SR'] }), candidate(2, { modalities: ['CR', 'SR'] })]];
  await setting.catchUp.round();
  expect(setting.steps).toEqual(['ask 1.2.2', 'told 1.2.2', 'done 0']);
});

test('the queue never grows beyond its limit, whatever else fills it', async () => {
  const setting = new Setting({ queueLimit: 5 });
  setting.batches = [many(40), many(40, 100)];
  let most = 0;
  setting.time.whileAsleep = () => {
    most = Math.max(most, setting.waiting);
    if (setting.time.slept.at(-1) !== 5_000) return;
    // Two studies are worked on, and sometimes the plug-in adds one.
    setting.waiting = Math.max(0, setting.waiting - 2) + (setting.told.length % 7 === 0 ? 1 : 0);
  };
  await setting.catchUp.round();
  expect(setting.told).toHaveLength(80);
  expect(most).toBe(5);
  expect(setting.log.lines.some(({ fields }) => fields.event === 'catch-up.waiting')).toBe(true);
});

test('no more studies in a minute than configured', async () => {
  const setting = new Setting({ studiesPerMinute: 30 });
  setting.batches = [many(100)];
  await setting.catchUp.round();
  const at = setting.told.map((entry) => entry.at - setting.told[0]!.at);
  for (const start of at)
    expect(at.filter((moment) => moment >= start && moment < start + 60_000).length).toBeLessThanOrEqual(30);
  expect(at.at(-1)).toBe(99 * 2_000);
});

test('a clock that is set back by hours holds nothing up, and the pace stays', async () => {
  const setting = new Setting({ studiesPerMinute: 30 });
  setting.batches = [many(2), many(2, 3)];
  setting.time.whileAsleep = () => {
    setting.time.at -= 5 * 3_600_000;
    setting.time.whileAsleep = () => {};
  };
  await setting.catchUp.round();
  expect(setting.told).toHaveLength(4);
  expect(setting.time.slept).toEqual([2_000, 2_000, 2_000]);
});

test('a study is told once as long as nothing changes in it, and again with a new film', async () => {
  const setting = new Setting();
  setting.batches = [[candidate(1)]];
  for (let round = 0; round < 4; round++) await setting.catchUp.round();
  expect(setting.told).toHaveLength(1);
  expect(setting.steps.filter((step) => step.startsWith('ask'))).toHaveLength(1);
  setting.series.set('1.2.1', [FILM, HEAT_MAP, REPORT]);
  setting.batches = [[candidate(1, { instances: 3 })]];
  for (let round = 0; round < 3; round++) await setting.catchUp.round();
  expect(setting.told).toHaveLength(1);
  expect(setting.steps.filter((step) => step.startsWith('ask'))).toHaveLength(2);
  setting.series.set('1.2.1', [{ ...FILM, instances: 2 }, HEAT_MAP, REPORT]);
  setting.batches = [[candidate(1, { instances: 4 })]];
  for (let round = 0; round < 3; round++) await setting.catchUp.round();
  expect(setting.told).toHaveLength(2);
});

test('after the first round of a search, a study that is new is left to its event for one round', async () => {
  const setting = new Setting();
  await setting.catchUp.round();
  setting.batches = [[candidate(1)]];
  await setting.catchUp.round();
  expect(setting.told).toHaveLength(0);
  await setting.catchUp.round();
  expect(setting.studies).toEqual(['1.2.1']);
});

test('a source that lags is believed at once', async () => {
  const setting = new Setting({ lags: true });
  await setting.catchUp.round();
  setting.batches = [[candidate(1, { instances: null })]];
  await setting.catchUp.round();
  await setting.catchUp.round();
  expect(setting.studies).toEqual(['1.2.1']);
});

test('a study that the archive refuses holds up nothing; a refused sign-in or a lost archive ends the round', async () => {
  const setting = new Setting();
  setting.batches = [many(2)];
  const fail = (error: Error) =>
    setting.series.set(
      '1.2.1',
      new Proxy([], {
        get: () => {
          throw error;
        },
      }),
    );
  fail(new HilumError('ARCHIVE_REFUSED', 'permanent', 'HTTP 400'));
  await setting.catchUp.round();
  expect(setting.studies).toEqual(['1.2.2']);
  expect(setting.log.lines[0]).toMatchObject({
    level: 'warn',
    fields: { event: 'catch-up.study-failed', study: '1.2.1' },
  });
  for (const [code, lasting] of [
    ['ARCHIVE_UNAUTHORISED', 'permanent'],
    ['ARCHIVE_UNREACHABLE', 'transient'],
  ] as const) {
    fail(new HilumError(code, lasting, 'no'));
    await expect(setting.catchUp.round()).rejects.toMatchObject({ code });
  }
});

test('started, it goes on for ever through failures, and stop ends it', async () => {
  const setting = new Setting();
  setting.batches = [many(1)];
  setting.refuse = new HilumError('BROKER_UNREACHABLE', 'transient', 'gone');
  let stopped: Promise<void> | undefined;
  setting.time.whileAsleep = () => {
    if (setting.time.slept.length === 3) setting.refuse = undefined;
    if (setting.time.slept.length === 6) stopped = setting.catchUp.stop();
  };
  setting.catchUp.start();
  while (stopped === undefined) await new Promise((done) => setImmediate(done));
  await stopped;
  expect(setting.log.lines.filter(({ fields }) => fields.event === 'catch-up.failed')).toHaveLength(3);
  expect(setting.studies).toEqual(['1.2.1']);
  expect(setting.time.slept.slice(-3)).toEqual([300_000, 300_000, 300_000]);
});

test('stop ends a wait for room in the queue, without a failure in the log', async () => {
  const setting = new Setting({ queueLimit: 1 });
  setting.batches = [many(5)];
  let stopped: Promise<void> | undefined;
  setting.time.whileAsleep = () => void (stopped ??= setting.catchUp.stop());
  setting.catchUp.start();
  while (stopped === undefined) await new Promise((done) => setImmediate(done));
  await stopped;
  expect(setting.told).toHaveLength(1);
  expect(setting.steps).not.toContain('done 0');
  expect(setting.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
});

describe('what is remembered', () => {
  const one = { films: 1, notes: 0 };

  test('is bounded, the newest is kept', () => {
    const memory = new Memory(() => 0, 3);
    for (let n = 1; n <= 5; n++) memory.keep(candidate(n), 'done', one);
    expect([1, 2, 3, 4, 5].map((n) => memory.isSettled(candidate(n)))).toEqual([false, false, true, true, true]);
  });

  test('is forgotten after six hours', () => {
    let now = 0;
    const memory = new Memory(() => now);
    memory.keep(candidate(1), 'told', one);
    now = 6 * 3_600_000 - 1;
    expect(memory.isSettled(candidate(1))).toBe(true);
    now++;
    expect(memory.isSettled(candidate(1))).toBe(false);
    expect(memory.recall(candidate(1), one)).toBeUndefined();
  });

  test('an unknown number of instances settles nothing', () => {
    const memory = new Memory(() => 0);
    memory.keep(candidate(1, { instances: null }), 'told', one);
    expect(memory.isSettled(candidate(1, { instances: null }))).toBe(false);
    expect(memory.recall(candidate(1), one)).toBe('told');
    expect(memory.recall(candidate(1), { films: 2, notes: 0 })).toBeUndefined();
    expect(memory.recall(candidate(1), { films: 1, notes: 1 })).toBeUndefined();
  });
});
