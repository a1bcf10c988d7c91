import { deriveUid, type Uid } from '../../../src/dicom/uid';
import type { Database } from '../../../src/worklist/database';
import { MIGRATIONS } from '../../../src/worklist/migrations/index';
import { type StepFigures, TURNAROUND_STEPS, type TurnaroundGroup } from '../../../src/worklist/turnaround';
import { Worklist } from '../../../src/worklist/worklist';
import { studyRecord } from '../records/study-record';
import { NO_SUMMARY } from '../records/study-summary';

const ANA = { id: 'local:ana', name: 'Ana' };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-03-03T08:00:00.000Z');
const END = START + 24 * HOUR;
const uid = (name: string): Uid => deriveUid(['turnaround', name]);

/** A study's times, in minutes after START. */
interface Way {
  readonly arrived: number;
  readonly urgent?: boolean;
  readonly result?: number;
  readonly opened?: number;
  readonly read?: number;
}

/** The same for each database: `create` gives the URL of an empty one, `open` opens it. */
export function turnaroundTests(
  create: () => Promise<string>,
  open: (url: string, migrations?: typeof MIGRATIONS) => Database,
): void {
  let database: Database;
  let list: Worklist;
  let clock: number;

  beforeEach(async () => {
    database = open(await create());
    clock = START;
    list = new Worklist(database, () => clock);
  });
  afterEach(() => database.close());

  const at = (minutes: number) => START + minutes * MINUTE;
  const arrive = (name: string, minutes: number, urgent = false) =>
    list.advance(uid(name), { kind: 'waiting', priority: urgent ? 'urgent' : 'routine' }, at(minutes));
  const result = (name: string, minutes: number, more: Parameters<typeof studyRecord>[1] = {}) =>
    list.record(
      studyRecord(name, {
        studyInstanceUid: uid(name),
        completedAt: new Date(at(minutes)).toISOString(),
        priority: 'routine',
        key: deriveUid(['key', name, String(minutes)]),
        ...more,
      }),
    );
  const opened = (name: string, minutes: number) => {
    clock = at(minutes);
    return list.claim(uid(name), { by: ANA, forMs: MINUTE });
  };
  const read = (name: string, minutes: number) => {
    clock = at(minutes);
    return list.markRead(uid(name), { how: 'person', by: ANA });
  };
  async function go(name: string, way: Way): Promise<void> {
    await arrive(name, way.arrived, way.urgent);
    if (way.result !== undefined) await result(name, way.result);
    if (way.opened !== undefined) await opened(name, way.opened);
    if (way.read !== undefined) await read(name, way.read);
  }
  const look = (timeZone = 'UTC', from = START, to = END) => list.turnaround({ from, to, timeZone });
  const all = async (priority: 'urgent' | 'routine') =>
    (await look()).groups.find((group) => group.priority === priority && group.hour === null)!;
  const minutes = ({ studies, medianMs, p90Ms, notYet }: StepFigures) => [
    studies,
    medianMs === null ? null : medianMs / MINUTE,
    p90Ms === null ? null : p90Ms / MINUTE,
    notYet,
  ];
  const table = (group: TurnaroundGroup) =>
    Object.fromEntries(TURNAROUND_STEPS.map((step) => [step, minutes(group.steps[step])]));

  test('each step of each study, by priority, in figures that were counted by hand', async () => {
    await go('a', { arrived: 0, result: 1, opened: 10, read: 14 });
    await go('b', { arrived: 2, result: 4, opened: 30, read: 31 });
    await go('c', { arrived: 3, result: 6, opened: 40, read: 60 });
    await go('u', { arrived: 5, urgent: true, result: 6, opened: 7, read: 9 });
    expect(table(await all('routine'))).toEqual({
      result: [3, 2, 3, 0],
      opened: [3, 26, 34, 0],
      read: [3, 4, 20, 0],
      total: [3, 29, 57, 0],
      // Read at 9, 14, 31 and 60; first come, first read: a, b, c, u.
      'first-come': [3, 12, 28, 0],
    });
    expect(table(await all('urgent'))).toEqual({
      result: [1, 1, 1, 0],
      opened: [1, 1, 1, 0],
      read: [1, 2, 2, 0],
      total: [1, 4, 4, 0],
      'first-come': [1, 55, 55, 0],
    });
  });

  test('what lacks a step is counted and in no figure of it', async () => {
    await go('not read', { arrived: 0, result: 1, opened: 5 });
    await go('not opened', { arrived: 0, result: 2 });
    await go('no result', { arrived: 0 });
    await go('read without result', { arrived: 0, opened: 1, read: 3 });
    await go('read unopened', { arrived: 0, result: 4, read: 9 });
    await go('opened before its result', { arrived: 0, opened: 1, result: 8, read: 20 });
    const group = await all('routine');
    expect(group.arrived).toBe(6);
    expect(table(group)).toEqual({
      result: [4, 2, 8, 2],
      opened: [1, 4, 4, 2],
      read: [2, 2, 19, 3],
      total: [3, 9, 20, 3],
      'first-come': [3, 9, 20, 3],
    });
  });

  test('the first result and the first reading count, whatever comes later; one taken back does not', async () => {
    await go('a', { arrived: 0, result: 1, opened: 2, read: 5 });
    await result('a', 600, { priority: 'urgent' });
    await read('a', 700);
    await go('slip', { arrived: 0, result: 1, opened: 2, read: 3 });
    clock = at(4);
    await list.markUnread(uid('slip'), ANA);
    expect((await all('routine')).steps.total).toMatchObject({ studies: 0, notYet: 1 });
    await read('slip', 50);
    expect(table(await all('routine'))).toMatchObject({ result: [1, 1, 1, 0], total: [1, 50, 50, 0] });
    expect(table(await all('urgent'))).toMatchObject({ result: [1, 1, 1, 0], total: [1, 5, 5, 0] });
    clock = at(800);
    await list.markUnread(uid('a'), ANA);
    await read('a', 900);
    expect((await all('urgent')).steps.total.medianMs).toBe(5 * MINUTE);
  });

  test('a verdict is a reading; one that disagrees leaves the study with the urgent ones', async () => {
    await arrive('a', 0);
    await result('a', 1, { priority: 'urgent' });
    clock = at(7);
    await list.verdict(uid('a'), { verdict: 'disagree', note: '', by: ANA });
    expect((await list.study(uid('a')))!.row.priority).toBe('routine');
    expect((await all('urgent')).steps.total).toEqual({
      studies: 1,
      medianMs: 7 * MINUTE,
      p90Ms: 7 * MINUTE,
      notYet: 0,
    });
  });

  test('in no group: a study whose arrival is not known, what is not on the list, and other days', async () => {
    await result('rebuilt', 3);
    await list.advance(uid('no film'), { kind: 'waiting', priority: null }, START, {
      summary: NO_SUMMARY,
      mayHaveFilms: false,
    });
    await arrive('before', -1);
    await arrive('after', 24 * 60);
    const found = await look();
    expect(found.groups.map(({ arrived }) => arrived)).toEqual([0, 0]);
    expect(found).toMatchObject({ from: START, to: END, isCut: false, withoutArrival: 1 });
    expect((await look('UTC', START - MINUTE)).groups[1]!.arrived).toBe(1);
  });

  test("hours are those of the site's clocks, also across the night in which they are set", async () => {
    const night = Date.parse('2026-03-28T12:00:00.000Z');
    for (const [name, time] of [
      ['winter', '2026-03-29T00:30:00.000Z'],
      ['summer', '2026-03-29T01:30:00.000Z'],
    ] as const)
      await list.advance(uid(name), { kind: 'waiting', priority: 'routine' }, Date.parse(time));
    const hoursIn = async (timeZone: string) =>
      (await look(timeZone, night, night + 24 * HOUR)).groups.flatMap(({ hour }) => (hour === null ? [] : [hour]));
    expect(await hoursIn('Europe/Berlin')).toEqual([1, 3]);
    expect(await hoursIn('Asia/Kolkata')).toEqual([6, 7]);
    expect(await hoursIn('UTC')).toEqual([0, 1]);
  });

  test('the replay is what a queue would have done: as many readings, none before its arrival', async () => {
    const random = numbers(11);
    const whole = (most: number) => Math.floor(random() * most);
    const ways = new Map<string, Required<Pick<Way, 'arrived' | 'urgent' | 'read'>>>();
    for (let i = 0; i < 80; i++) {
      // Few instants, so that many are at the same one.
      const arrived = whole(40);
      ways.set(`s${i}`, { arrived, urgent: whole(4) === 0, read: arrived + whole(30) });
    }
    for (const [name, way] of ways) await go(name, way);
    const waits = byQueue([...ways.values()]);
    expect(waits).toHaveLength(80);
    expect(Math.min(...waits.map(({ wait }) => wait))).toBeGreaterThanOrEqual(0);
    for (const priority of ['urgent', 'routine'] as const) {
      const own = waits.filter(({ urgent }) => urgent === (priority === 'urgent')).map(({ wait }) => wait);
      expect(minutes((await all(priority)).steps['first-come'])).toEqual([
        own.length,
        rank(own, 0.5),
        rank(own, 0.9),
        0,
      ]);
    }
  });

  test('where studies were read first come, first read, the replay has the same figures', async () => {
    for (let i = 0; i < 20; i++) await go(`s${i}`, { arrived: i, urgent: i % 3 === 0, read: 30 + i * 2 });
    for (const { steps } of (await look()).groups) expect(steps['first-come']).toEqual(steps.total);
  });

  test('a database of an earlier version has the first result of each study, and its readings', async () => {
    const before = await create();
    const old = open(
      before,
      MIGRATIONS.slice(
        0,
        MIGRATIONS.findIndex(({ name }) => name === '012-turnaround'),
      ),
    );
    await old.write(async (transaction) => {
      for (const [name, readAt] of [
        ['x', START + 9 * MINUTE],
        ['y', null],
      ] as const)
        await transaction
          .insertInto('study')
          .values({
            study_uid: uid(name),
            state: 'done',
            urgency: 1,
            arrived_at: START,
            completed_at: START + 600 * MINUTE,
            read_at: readAt,
            change: 1,
          } as never)
          .execute();
      for (const [change, time] of [
        [1, START + 2 * MINUTE],
        [2, START + 600 * MINUTE],
      ] as const)
        await transaction
          .insertInto('history')
          .values({ change, study_uid: uid('x'), at: time, kind: 'result', detail: '{}' })
          .execute();
    });
    await old.close();
    const now = open(before);
    const { groups } = await new Worklist(now).turnaround({ from: START, to: END, timeZone: 'UTC' });
    await now.close();
    expect(table(groups[1]!)).toMatchObject({ result: [2, 2, 600, 0], total: [1, 9, 9, 1] });
  });
}

/** At the time of each reading the study that arrived first is taken of those that wait. */
function byQueue(ways: readonly { readonly arrived: number; readonly urgent: boolean; readonly read: number }[]) {
  let there = [...ways];
  return ways
    .map(({ read }) => read)
    .sort((a, b) => a - b)
    .map((time) => {
      const waiting = there.filter(({ arrived }) => arrived <= time);
      const first = waiting.reduce((best, way) =>
        way.arrived < best.arrived || (way.arrived === best.arrived && way.read < best.read) ? way : best,
      );
      there = there.filter((way) => way !== first);
      return { urgent: first.urgent, wait: time - first.arrived };
    });
}

/** Nearest rank. */
const rank = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;

/** Mulberry32: the same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
