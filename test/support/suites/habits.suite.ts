import { deriveUid, type Uid } from '../../../src/dicom/uid';
import type { Author } from '../../../src/worklist/author';
import type { Database } from '../../../src/worklist/database';
import { MAX_VIEWS } from '../../../src/worklist/saved-views';
import { Worklist } from '../../../src/worklist/worklist';
import { filmRecord, studyRecord } from '../records/study-record';

const uid = (name: string): Uid => deriveUid(['study', name]);
const ANA: Author = { id: 'local:ana', name: 'Ana' };
const BEN: Author = { id: 'oidc:ben', name: 'Ben' };
const START = Date.parse('2026-03-03T08:00:00.000Z');
const HOLD = 90_000;

/** The same tests for each database: `open` gives an empty one for each test. */
export function habitTests(open: () => Promise<Database>): void {
  let database: Database;
  let list: Worklist;
  let other: Worklist;
  let clock: number;

  beforeEach(async () => {
    database = await open();
    clock = START;
    list = new Worklist(database, () => clock);
    other = new Worklist(database, () => clock);
  });
  afterEach(() => database.close());

  const names = async (user: string) => (await list.views(user)).map(({ name, content }) => [name, content]);

  test('views are of their user, by name; one name is one view', async () => {
    for (const [user, name, content] of [
      ['local:ana', 'zebra', '1'],
      ['local:ana', 'Émile', '2'],
      ['oidc:ben', 'zebra', '3'],
      ['local:ana', 'zebra', '4'],
    ] as const)
      expect(await list.saveView(user, { name, content })).toBe(true);
    expect(await names('local:ana')).toEqual([
      ['Émile', '2'],
      ['zebra', '4'],
    ]);
    const [bens] = await list.views('oidc:ben');
    expect(await list.removeView('local:ana', bens!.id)).toBe(false);
    expect(await names('oidc:ben')).toEqual([['zebra', '3']]);
    expect(await list.removeView('oidc:ben', bens!.id)).toBe(true);
    expect(await list.removeView('oidc:ben', bens!.id)).toBe(false);
    expect(await names('oidc:ben')).toEqual([]);
  });

  test('a user has so many views and no more; a view that is there can still be saved anew', async () => {
    for (let i = 0; i < MAX_VIEWS; i++) await list.saveView('local:ana', { name: `${i}`, content: '' });
    expect(await list.saveView('local:ana', { name: 'one more', content: '' })).toBe(false);
    expect(await list.saveView('local:ana', { name: '7', content: 'new' })).toBe(true);
    expect(await list.saveView('oidc:ben', { name: 'one more', content: '' })).toBe(true);
    expect(await names('local:ana')).toHaveLength(MAX_VIEWS);
  });

  test('who has a study open on other pages, each once, until it is closed or its time is over', async () => {
    const opens = (by: Author, page: string, name = 'a', at = list) =>
      at.keepOpen(uid(name), { by, page, forMs: HOLD });
    expect(await opens(ANA, 'ana-1')).toEqual([]);
    expect(await opens(BEN, 'ben-1', 'a', other)).toEqual([ANA]);
    expect(await opens(ANA, 'ana-2')).toEqual([ANA, BEN]);
    expect(await opens(ANA, 'ana-1')).toEqual([ANA, BEN]);
    expect(await opens(BEN, 'ben-1')).toEqual([ANA]);
    // A page of the same name of another user is another page.
    expect(await opens(BEN, 'ana-1', 'b')).toEqual([]);
    expect(await opens(BEN, 'ben-1')).toEqual([ANA]);
    await list.close(uid('a'), { by: BEN, page: 'ana-1' });
    expect(await opens(BEN, 'ben-1')).toEqual([ANA]);
    // A late close of the study that was open before leaves the one that is open now.
    await opens(ANA, 'ana-2', 'b');
    await list.close(uid('a'), { by: ANA, page: 'ana-2' });
    expect(await opens(BEN, 'ben-2', 'b')).toEqual([ANA, BEN]);
    await list.close(uid('a'), { by: ANA, page: 'ana-1' });
    expect(await opens(BEN, 'ben-1')).toEqual([]);
    clock += HOLD - 1;
    expect(await opens(BEN, 'ben-3', 'b')).toEqual([ANA, BEN]);
    clock += 1;
    expect(await opens(BEN, 'ben-3', 'b')).toEqual([]);
    expect(await database.read((db) => db.selectFrom('open_study').select('page').execute())).toEqual([
      { page: 'ben-3' },
    ]);
  });

  test('an open page changes no study', async () => {
    await list.record(studyRecord('a'));
    const before = await list.lastChange();
    await list.keepOpen(uid('a'), { by: ANA, page: 'ana-1', forMs: HOLD });
    expect(await list.lastChange()).toBe(before);
  });

  const urgent = async (name: string) => {
    const { priority, urgentSince } = (await list.study(uid(name)))!.row;
    return priority === 'urgent' ? urgentSince : null;
  };
  const result = (name: string, probability: number, key: string, completedAt = '2026-03-03T08:10:00.000Z') => ({
    ...studyRecord(name, {
      films: [filmRecord(name, { probability })],
      priority: probability >= 0.5 ? ('urgent' as const) : ('routine' as const),
      completedAt,
    }),
    key: deriveUid([key]),
  });

  test('since when a study is urgent, by whatever makes it so; what is urgent already stays so', async () => {
    await list.advance(uid('event'), { kind: 'waiting', priority: 'urgent' }, START);
    expect(await urgent('event')).toBe(START);
    await list.setPriority(uid('event'), 'urgent', ANA);
    clock += 5_000;
    await list.setPriority(uid('event'), null, ANA);
    expect(await urgent('event')).toBe(START);

    await list.advance(uid('raised'), { kind: 'waiting', priority: null }, START);
    expect(await urgent('raised')).toBeNull();
    await list.advance(uid('raised'), { kind: 'waiting', priority: 'urgent' }, START + 7_000);
    expect(await urgent('raised')).toBe(START + 7_000);

    await list.advance(uid('found'), { kind: 'waiting', priority: null }, START);
    clock = START + 600_000;
    await list.record(result('found', 0.9, 'one'));
    expect(await urgent('found')).toBe(clock);
    clock += 1_000;
    await list.verdict(uid('found'), { verdict: 'disagree', note: '', by: ANA });
    expect(await urgent('found')).toBeNull();
    clock += 1_000;
    await list.verdict(uid('found'), { verdict: 'agree', note: '', by: BEN });
    expect(await urgent('found')).toBe(clock);
  });

  test('a result that the list did not wait for is urgent since it was made', async () => {
    await list.record(result('old', 0.9, 'old', '2026-01-01T00:00:00.000Z'));
    expect(await urgent('old')).toBe(Date.parse('2026-01-01T00:00:00.000Z'));
  });
}
