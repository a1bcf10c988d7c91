import { sql } from 'kysely';
import { deriveUid, type Uid } from '../../../src/dicom/uid';
import type { Database } from '../../../src/worklist/database';
import { countDue, type KeptFrom, pruneBatch, PRUNED } from '../../../src/worklist/retention';
import { Worklist } from '../../../src/worklist/worklist';
import { studyRecord } from '../records/study-record';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-01T00:00:00.000Z');
const ANA = { id: 'local:ana', name: 'Ana' };
const uid = (name: string): Uid => deriveUid(['study', name]);
const LEASE = { name: 'retention', holder: 'one', until: NOW + 1_000 };

/** The same for each database: `open` opens an empty one. */
export function retentionTests(open: () => Promise<Database>): void {
  let database: Database;
  let list: Worklist;
  let clock: number;
  beforeEach(async () => {
    database = await open();
    clock = NOW;
    list = new Worklist(database, () => clock);
  });
  afterEach(() => database.close());

  /** A study that came, and had its result, so many days ago. */
  async function study(name: string, days: number, more: Parameters<typeof studyRecord>[1] = {}): Promise<void> {
    const at = NOW - days * DAY;
    await list.advance(uid(name), { kind: 'waiting', priority: 'routine' }, at);
    await list.record(studyRecord(name, { completedAt: new Date(at).toISOString(), ...more }));
  }
  const judge = (name: string, days: number) => {
    clock = NOW - days * DAY;
    return list.verdict(uid(name), { verdict: 'agree', note: '', by: ANA });
  };
  const from = (days: Partial<Record<keyof KeptFrom, number>>): KeptFrom => ({
    studies: days.studies === undefined ? null : NOW - days.studies * DAY,
    verdicts: days.verdicts === undefined ? null : NOW - days.verdicts * DAY,
    orders: NOW - (days.orders ?? 10_000) * DAY,
  });
  async function prune(kept: KeptFrom, batch?: number): Promise<number[]> {
    const gone = [0, 0, 0];
    for (;;) {
      const counts = await pruneBatch(database, kept, LEASE, NOW, batch);
      if (counts === null || PRUNED.every((what) => counts[what] === 0)) return gone;
      PRUNED.forEach((what, i) => (gone[i]! += counts[what]));
    }
  }
  const shown = async () =>
    (await list.page({ searchPatient: true, order: 'oldest', limit: 1_000 })).rows.map(
      ({ studyInstanceUid }) => studyInstanceUid,
    );
  const rows = (table: string) =>
    database.read(
      async (db) => (await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db)).rows[0]!.n,
    );

  test('rows go after their last event, with their history; what is counted and searched follows', async () => {
    await study('old', 100);
    await study('young', 20);
    await study('analysed anew', 100, { completedAt: new Date(NOW - 5 * DAY).toISOString() });
    await study('judged lately', 100);
    await judge('judged lately', 3);
    await study('read lately', 100);
    clock = NOW - 4 * DAY;
    await list.markRead(uid('read lately'), { how: 'person', by: ANA });
    const kept = from({ studies: 90 });
    expect(await countDue(database, kept)).toEqual({ studies: 1, verdicts: 0, orders: 0 });
    expect(await prune(kept)).toEqual([1, 0, 0]);
    expect((await shown()).includes(uid('old'))).toBe(false);
    expect(await shown()).toHaveLength(4);
    expect(await rows('list_entry')).toBe(4);
    expect((await list.counts()).states.done).toBe(4);
    expect(await list.study(uid('old'))).toBeNull();
    const left = await database.read((db) =>
      db.selectFrom('history').select('study_uid').where('study_uid', '=', uid('old')).execute(),
    );
    expect(left).toEqual([]);
    const search = (text: string) => list.page({ searchPatient: true, order: 'oldest', limit: 5, search: text });
    expect((await search('A-old')).rows).toEqual([]);
    expect((await search('A-young')).rows).toHaveLength(1);
  });

  test('studies that are not shown go too, and one that comes again is listed anew', async () => {
    await list.advance(uid('hand'), { kind: 'waiting', priority: null }, NOW - 100 * DAY);
    await list.advance(uid('hand'), { kind: 'nothing-new' }, NOW - 100 * DAY);
    expect(await prune(from({ studies: 90 }))).toEqual([1, 0, 0]);
    expect(await rows('study')).toBe(0);
    await study('hand', 0);
    expect(await shown()).toEqual([uid('hand')]);
  });

  test('verdicts outlive their rows until their own time, and the agreement counts those that are kept', async () => {
    for (const name of ['a', 'b', 'c']) await study(name, 400);
    await judge('a', 390);
    await judge('a', 380);
    await judge('b', 200);
    await judge('c', 1);
    const kept = from({ studies: 90, verdicts: 365 });
    expect((await list.agreement()).agree).toBe(3);
    // Both of a go with its row's time over; b keeps its verdict; c is there.
    expect(await prune(kept, 1)).toEqual([2, 2, 0]);
    expect(await shown()).toEqual([uid('c')]);
    expect((await list.agreement()).agree).toBe(2);
    expect(await rows('verdict')).toBe(2);
    expect(await prune(from({ studies: 90, verdicts: 100 }))).toEqual([0, 1, 0]);
    expect((await list.agreement()).agree).toBe(1);
    expect((await list.study(uid('c')))?.verdicts).toHaveLength(1);
  });

  test('what is for ever stays', async () => {
    await study('a', 5_000);
    await judge('a', 5_000);
    expect(await countDue(database, from({}))).toEqual({ studies: 0, verdicts: 0, orders: 0 });
    expect(await prune(from({}))).toEqual([0, 0, 0]);
    expect(await prune(from({ verdicts: 30 }))).toEqual([0, 0, 0]);
  });

  test('of several processes one removes, until its time is over', async () => {
    for (const name of ['a', 'b', 'c']) await study(name, 100);
    const kept = from({ studies: 90 });
    const other = { ...LEASE, holder: 'other' };
    const both = await Promise.all([
      pruneBatch(database, kept, LEASE, NOW, 1),
      pruneBatch(database, kept, other, NOW, 1),
    ]);
    expect(both.filter((counts) => counts === null)).toHaveLength(1);
    expect(await rows('study')).toBe(2);
    expect(await pruneBatch(database, kept, { ...LEASE, holder: 'third' }, NOW, 1)).toBeNull();
    expect(await pruneBatch(database, kept, { ...LEASE, holder: 'third' }, LEASE.until, 1)).toMatchObject({
      studies: 1,
    });
  });

  test('while thousands of rows go, a writer waits for one batch at most', async () => {
    const many = 3_000;
    await database.write(async (transaction) => {
      for (let at = 0; at < many; at += 500)
        await transaction
          .insertInto('study')
          .values(
            Array.from({ length: 500 }, (_, i) => ({
              ...{ study_uid: `1.2.${at + i}`, state: 'done' as const, urgency: 1, arrived_at: NOW - 200 * DAY },
              ...{ change: at + i + 1, search_patient: `doe ${at + i}`, search_study: `1.2.${at + i}` },
            })),
          )
          .execute();
    });
    const pruning = prune(from({ studies: 90 }));
    const over = { yet: false };
    void pruning.then(() => (over.yet = true));
    let writes = 0;
    for (; !over.yet; writes++) await list.advance(uid(`live ${writes}`), { kind: 'waiting', priority: null }, NOW);
    expect(await pruning).toEqual([many, 0, 0]);
    // Batches and writers take turns.
    expect(writes).toBeGreaterThanOrEqual(10);
    expect(await shown()).toHaveLength(writes);
    expect((await list.counts()).states.waiting).toBe(writes);
  }, 60_000);
}
