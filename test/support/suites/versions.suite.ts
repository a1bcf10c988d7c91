import { sql } from 'kysely';
import { createLog } from '../../../src/base/log';
import { deriveUid, type Uid } from '../../../src/dicom/uid';
import type { FilmRecord, StudyRecord } from '../../../src/sinks/record';
import type { Sessions } from '../../../src/web/access/session-store';
import { type Database, openDatabase } from '../../../src/worklist/database';
import { MIGRATIONS } from '../../../src/worklist/migrations/index';
import type { Migration } from '../../../src/worklist/migrations/migration';
import type { Verdict } from '../../../src/worklist/states';
import { Worklist } from '../../../src/worklist/worklist';
import { recordingLog } from '../records/logs';
import { filmRecord, studyRecord } from '../records/study-record';

/** The program of version 0.1 (test/fixtures/version-0.1), as far as it is called here. */
interface OldDatabase {
  ready(): Promise<void>;
  close(): Promise<void>;
}
type OldWorklist = Pick<
  Worklist,
  'advance' | 'hasResult' | 'agreement' | 'counts' | 'completedPerHour' | 'lastChange' | 'verdictsCsv' | 'study'
> & {
  record(record: StudyRecord): Promise<boolean>;
  setPriority(study: Uid, priority: 'urgent' | 'routine' | null, by: string): Promise<boolean>;
  verdict(study: Uid, given: { verdict: Verdict; note: string; by: string }): Promise<boolean>;
  page(request: object): Promise<{ rows: { studyInstanceUid: Uid; priority: string }[] }>;
};
type OldAccounts = { add(account: object): Promise<boolean>; list(): Promise<{ username: string }[]> };

const old = {
  ...jest.requireActual<{ openDatabase: (url: string, log: object) => OldDatabase }>(
    '../../fixtures/version-0.1/list/database.js',
  ),
  ...jest.requireActual<{ Worklist: new (database: OldDatabase, now?: () => number) => OldWorklist }>(
    '../../fixtures/version-0.1/list/worklist.js',
  ),
  ...jest.requireActual<{ openAccounts: (database: OldDatabase) => OldAccounts }>(
    '../../fixtures/version-0.1/list/accounts.js',
  ),
  ...jest.requireActual<{ openSessions: (database: OldDatabase) => Sessions }>(
    '../../fixtures/version-0.1/list/sessions.js',
  ),
};

const LOG = createLog('silent');
const ANA = { id: 'local:ana', name: 'Ana' };
const PAGE = { searchPatient: true, order: 'oldest', limit: 100 } as const;
/** Steps of versions that are not there yet. */
const later = (name: string, release: number): Migration => ({
  name,
  release,
  change: 'contracts',
  unusedSince: release - 1,
  up: () => Promise.resolve(),
});
const EXPANDED = later('901-next', 3);
const BEYOND = later('902-beyond', 4);

/** As version 0.1 reads a report: an operating point for each film, no list of findings. */
function oldRecord(name: string, overrides: Partial<StudyRecord> = {}, ofFilm: Partial<FilmRecord> = {}): StudyRecord {
  const film: Partial<FilmRecord> = { ...filmRecord(name, ofFilm) };
  delete (film as { findings?: unknown }).findings;
  const finding = { scheme: '99HILUM', value: 'COVID-19', meaning: 'COVID-19' };
  const films = [{ ...film, threshold: 0.5, finding }] as unknown as StudyRecord['films'];
  return studyRecord(name, { films, ...overrides });
}

/**
 * What must hold across versions, of each kind of database. `create` gives the URL of an empty one. In a file version
 * 0.1 holds up the whole process while it waits, and this version's writer with it: there they take turns.
 */
export function versionTests(create: () => Promise<string>, { takesTurns }: { readonly takesTurns: boolean }): void {
  const closing: { close(): Promise<void> }[] = [];
  const open = (url: string, migrations: readonly Migration[] = MIGRATIONS): Database => {
    const database = openDatabase(url, LOG, migrations);
    closing.push(database);
    return database;
  };
  const openOld = (url: string) => {
    const database = old.openDatabase(url, LOG);
    closing.push(database);
    return { database, list: new old.Worklist(database), accounts: old.openAccounts(database) };
  };
  afterEach(async () => {
    for (const database of closing.splice(0)) await database.close();
  });
  const uid = (name: string) => deriveUid(['study', name]);
  const texts = async (lines: AsyncIterable<string>) => {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return all;
  };
  const found = async (list: Worklist, search: string, searchPatient: boolean) =>
    (await list.page({ ...PAGE, search, searchPatient })).rows.map(({ studyInstanceUid }) => studyInstanceUid);
  /** What triggers keep is what the rows say. */
  const requireCounted = async (database: Database) => {
    const sums = (table: string, columns: string) =>
      database.read((db) =>
        sql`select urgency, sum(case when read_at is null then 1 else 0 end) as unread, count(*) as studies
          from ${sql.table(table)} ${sql.raw(columns)} group by urgency order by urgency`.execute(db),
      );
    const kept = await database.read((db) =>
      sql`select urgency, sum(unread * studies) as unread, sum(studies) as studies from list_count
        group by urgency having sum(studies) > 0 order by urgency`.execute(db),
    );
    const there = await sums('study', `where state <> 'left-alone'`);
    const figures = ({ rows }: { rows: unknown[] }) =>
      (rows as Record<string, unknown>[]).map((row) => Object.values(row).map(Number));
    expect(figures(kept)).toEqual(figures(there));
    expect(figures(await sums('list_entry', ''))).toEqual(figures(there));
  };

  test('what version 0.1 has kept is there after the update: rows, verdicts, accounts', async () => {
    const url = await create();
    const before = openOld(url);
    await before.list.advance(uid('a'), { kind: 'waiting', priority: 'routine' });
    await before.list.record(oldRecord('a'));
    await before.list.record(oldRecord('b', { priority: 'routine' }));
    await before.list.verdict(uid('a'), { verdict: 'agree', note: 'clear', by: 'Ana' });
    await before.accounts.add({
      ...{ username: 'ana', displayName: 'Ana', passwordHash: 'x', roles: ['admin'] },
      ...{ createdAt: 1, passwordChangedAt: 1 },
    });
    await before.database.close();
    closing.splice(0);
    const database = open(url);
    const list = new Worklist(database);
    expect((await list.page(PAGE)).rows).toMatchObject([
      { studyInstanceUid: uid('a'), priority: 'urgent', lead: { sopInstanceUid: filmRecord('a').sopInstanceUid } },
      { studyInstanceUid: uid('b'), priority: 'routine' },
    ]);
    expect(await list.agreement()).toMatchObject({ agree: 1, disagree: 0 });
    expect((await list.study(uid('a')))?.verdicts).toMatchObject([{ verdict: 'agree', note: 'clear' }]);
    expect(await database.read((db) => db.selectFrom('account').select('username').execute())).toEqual([
      { username: 'ana' },
    ]);
    await requireCounted(database);
  });

  test('version 0.1 starts and works on the schema of this version, and both read what the other writes', async () => {
    const url = await create();
    const database = open(url);
    const list = new Worklist(database);
    await list.record(studyRecord('new', { priority: 'routine' }));
    await list.verdict(uid('new'), { verdict: 'agree', note: '', by: ANA });
    const { list: before, accounts, database: oldDatabase } = openOld(url);
    await before.advance(uid('old'), { kind: 'waiting', priority: 'routine' });
    await before.advance(uid('old'), { kind: 'analysing', attempt: 1 });
    expect(await before.record(oldRecord('old'))).toBe(true);
    expect(await before.verdict(uid('old'), { verdict: 'disagree', note: 'no', by: 'Ben' })).toBe(true);
    expect(await before.setPriority(uid('new'), 'urgent', 'Ben')).toBe(true);
    expect((await before.page(PAGE)).rows.map(({ studyInstanceUid }) => studyInstanceUid).sort()).toEqual(
      [uid('new'), uid('old')].sort(),
    );
    expect((await before.page({ ...PAGE, search: 'A-new' })).rows).toHaveLength(1);
    expect(await before.study(uid('new'))).toMatchObject({ row: { priority: 'urgent' }, verdicts: [{ by: 'Ana' }] });
    expect(await before.agreement()).toMatchObject({ agree: 1, disagree: 1 });
    expect((await before.counts()).states.done).toBe(2);
    expect((await before.completedPerHour(0)).size).toBe(1);
    expect(await before.lastChange()).toBeGreaterThan(0);
    expect(await texts(before.verdictsCsv())).toHaveLength(3);
    expect(await accounts.list()).toEqual([]);
    const sessions = old.openSessions(oldDatabase);
    await sessions.add({
      ...{ idHash: 'h', userId: 'local:ana', username: null, displayName: 'Ana', roles: ['radiologist'] },
      ...{ idToken: null, createdAt: 5, seenAt: 5 },
    });
    expect(await sessions.find('h')).toMatchObject({ userId: 'local:ana' });

    expect(await list.study(uid('old'))).toMatchObject({
      row: { priority: 'urgent' },
      record: { films: [{ probability: 0.9 }] },
      verdicts: [{ verdict: 'disagree', by: { id: null, name: 'Ben' } }],
    });
    expect(await list.agreement()).toMatchObject({ agree: 1, disagree: 1 });
    expect(await found(list, 'A-old', true)).toEqual([uid('old')]);
    await requireCounted(database);
  });

  test('what version 0.1 writes is searched by who may see it, and no digest leaves without the key', async () => {
    const url = await create();
    const list = new Worklist(open(url));
    await list.changesSince(0);
    const before = openOld(url).list;
    await before.record(oldRecord('old'));
    await before.verdict(uid('old'), { verdict: 'agree', note: '', by: 'Ben' });
    expect(await found(list, 'A-old', true)).toEqual([uid('old')]);
    expect(await found(list, 'thorax', false)).toEqual([]);
    expect(await found(list, 'A-old', false)).toEqual([]);
    expect(await found(list, uid('old'), false)).toEqual([uid('old')]);
    await list.record(studyRecord('other', { patient: studyRecord('old').patient }));
    await list.verdict(uid('other'), { verdict: 'agree', note: '', by: ANA });
    const patients = (await texts(list.verdictsCsv())).slice(1).map((line) => line.split(',')[2]);
    expect(patients[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(patients[0]).toBe(patients[1]);
  });

  test('a study that version 0.1 makes urgent is to be read anew, and keeps the urgency of the RIS', async () => {
    const url = await create();
    const database = open(url);
    const list = new Worklist(database);
    const before = openOld(url).list;
    for (const name of ['a', 'b']) await list.record(studyRecord(name, { priority: 'routine' }));
    await list.markRead(uid('a'), { how: 'person', by: ANA });
    await database.write((db) =>
      db
        .updateTable('study')
        .set({ ris_priority: 'urgent', urgency: 0 })
        .where('study_uid', '=', uid('b'))
        .execute()
        .then(() => {}),
    );
    const again = { completedAt: '2026-03-02T00:00:00.000Z', key: deriveUid(['again']) };
    const probability = { probability: 0.4 };
    await before.record(oldRecord('a', { ...again, priority: 'urgent' }, probability));
    await before.record(oldRecord('b', { ...again, priority: 'routine' }, probability));
    const { rows } = await list.page(PAGE);
    expect(rows.map(({ priority, read }) => [priority, read])).toEqual([
      ['urgent', null],
      ['urgent', null],
    ]);
    expect((await list.work(ANA.id, 0)).unreadUrgent).toBe(2);
    // The findings are those of the result, not of the one before.
    expect(rows.map(({ findings }) => findings.map(({ probability }) => probability))).toEqual([[0.4], [0.4]]);
    await requireCounted(database);
  });

  test('both versions write at the same time: nothing is lost, and what is counted is there', async () => {
    const url = await create();
    const before = openOld(url).list;
    await before.lastChange();
    const database = open(url);
    const list = new Worklist(database);
    const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
    for (let i = 0; i < 20; i++) {
      const first = before.record(oldRecord(names[i]!));
      if (takesTurns) await first;
      await Promise.all([first, list.record(studyRecord(names[20 + i]!))]);
    }
    expect((await list.page(PAGE)).rows).toHaveLength(40);
    const changes = await database.read((db) => db.selectFrom('study').select('change').execute());
    expect(new Set(changes.map(({ change }) => change)).size).toBe(40);
    await requireCounted(database);
  });

  test('a version runs on the schema of the next one, and says so', async () => {
    const url = await create();
    await open(url, [...MIGRATIONS, EXPANDED]).ready();
    const log = recordingLog();
    const database = openDatabase(url, log);
    closing.push(database);
    expect(await database.examine()).toBe('newer');
    await new Worklist(database).record(studyRecord('a'));
    await database.check();
    expect(log.lines.filter(({ fields }) => fields.event === 'list.database-newer')).toHaveLength(1);
  });

  test('two versions ahead is refused in a sentence, at the start and in a process that runs', async () => {
    const url = await create();
    const running = open(url);
    await running.ready();
    await open(url, [...MIGRATIONS, EXPANDED, BEYOND]).ready();
    const refused = {
      code: 'DATABASE_INVALID',
      lasting: 'permanent',
      message:
        'the database was made by version 4 of Hilum (it has 902-beyond), and this one runs on its own schema ' +
        'and that of the next version alone: update Hilum, or use another database',
    };
    await expect(running.check()).rejects.toMatchObject(refused);
    await expect(open(url).ready()).rejects.toMatchObject(refused);
    await expect(open(url).examine()).rejects.toMatchObject(refused);
  });

  test('version 0.1 refuses the schema of the version after this one', async () => {
    const url = await create();
    await open(url, [...MIGRATIONS, EXPANDED]).ready();
    await expect(openOld(url).database.ready()).rejects.toMatchObject({
      code: 'DATABASE_INVALID',
      message: expect.stringContaining('901-next') as string,
    });
  });
}
