import {
  CompiledQuery,
  type Kysely,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type RootOperationNode,
  sql,
} from 'kysely';
import { createLog } from '../../../src/base/log';
import { deriveUid, type Uid } from '../../../src/dicom/uid';
import type { Step } from '../../../src/events/progress-event';
import { type Database, openDatabase } from '../../../src/worklist/database';
import { MIGRATIONS } from '../../../src/worklist/migrations/index';
import { countSelected, findPage, type PageRequest, type Selection } from '../../../src/worklist/page-query';
import { fold, summaryColumns } from '../../../src/worklist/record-columns';
import type { Schema, StudyColumns } from '../../../src/worklist/schema';
import { planOf, searchOf } from '../../../src/worklist/search';
import { SHOWN_STATES, VERDICTS } from '../../../src/worklist/states';
import { Worklist } from '../../../src/worklist/worklist';
import { filmRecord, studyRecord } from '../records/study-record';
import { NO_SUMMARY } from '../records/study-summary';

const LOG = createLog('silent');
/** More rows than a search looks at first, so that it uses the indexes. */
const MANY = 3_000;
const DAY = 86_400_000;
const AUTHOR = { id: 'local:a', name: 'a' };

/** mulberry32: the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ODD = [
  'a',
  'b',
  'c',
  'é',
  'ß',
  'İ',
  'ﬀ',
  '😀',
  '👩‍⚕️',
  '%',
  '_',
  '"',
  "'",
  '\\',
  '*',
  '(',
  ')',
  '-',
  '^',
  ' ',
  ' ',
];
const FOREIGN = ['日', '本', '한', 'Ж', 'ж', 'ø', '1', '2', '.', ':', '{', 'o', 'r', 'n', 'e', 't'];
const TEXT = [...ODD, ...FOREIGN];

type Row = Pick<
  StudyColumns,
  'study_uid' | 'state' | 'urgency' | 'arrived_at' | 'verdict' | 'views' | 'search_study' | 'search_patient' | 'change'
>;

/** All but the number of the entry. */
const ENTRY = [
  'study_uid',
  'state',
  'urgency',
  'arrived_at',
  'newest_key',
  'verdict',
  'frontal_view',
  'lateral_view',
  'search_study',
  'search_patient',
  'read_at',
  'unread',
  'hidden',
] as const;

function rowsOf(count: number, seed: number): Row[] {
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(list.length * next())]!;
  const text = (length: number) => fold(Array.from({ length }, () => pick(TEXT)).join(''));
  return Array.from({ length: count }, (_, i) => ({
    study_uid: `1.2.826.0.1.${i}.${Math.floor(1e9 * next())}`,
    state: next() < 0.9 ? ('done' as const) : pick([...SHOWN_STATES, 'left-alone' as const]),
    urgency: next() < 0.1 ? 0 : 1,
    // Several at the same time.
    arrived_at: Math.floor((count * next()) / 3) * (DAY / 24),
    verdict: next() < 0.1 ? pick(VERDICTS) : null,
    views: pick(['', 'frontal', 'lateral', 'frontal,lateral']),
    search_study: `${text(8)} common ${text(6)}`.trim(),
    search_patient: `${text(8)} ${text(5)}`.trim(),
    change: i + 1,
  }));
}

const inserted = (database: Database, rows: readonly Row[]) =>
  database.write(async (transaction) => {
    for (let at = 0; at < rows.length; at += 500)
      await transaction
        .insertInto('study')
        .values(rows.slice(at, at + 500))
        .execute();
  });

/** Whether a search finds a row, by comparing the row itself, without an index. */
function isFound({ search_study, search_patient }: Row, search: string, withPatient: boolean): boolean {
  const texts = withPatient ? [search_study, search_patient] : [search_study];
  return fold(search)
    .split(' ')
    .filter((word) => word !== '')
    .every((word) =>
      texts.some((text) => (Array.from(word).length > 2 ? text.includes(word) : ` ${text}`.includes(` ${word}`))),
    );
}

function isSelected(row: Row, { filters = {}, search = '', searchPatient }: Selection): boolean {
  const { states, priority, view, verdict, arrivedFrom, arrivedBefore } = filters;
  return (
    row.state !== 'left-alone' &&
    (states === undefined || (states as readonly string[]).includes(row.state)) &&
    (priority === undefined || (row.urgency === 0) === (priority === 'urgent')) &&
    (view === undefined || row.views.includes(view)) &&
    (verdict === undefined || (verdict === 'none' ? row.verdict === null : row.verdict === verdict)) &&
    (arrivedFrom === undefined || row.arrived_at >= arrivedFrom) &&
    (arrivedBefore === undefined || row.arrived_at < arrivedBefore) &&
    isFound(row, search, searchPatient)
  );
}

function expected(rows: readonly Row[], selection: Selection, order: 'oldest' | 'newest'): string[] {
  const sign = order === 'oldest' ? 1 : -1;
  return rows
    .filter((row) => isSelected(row, selection))
    .sort(
      (a, b) =>
        a.urgency - b.urgency ||
        sign * (a.arrived_at - b.arrived_at) ||
        // As the databases compare, by bytes.
        (a.study_uid < b.study_uid ? -1 : 1),
    )
    .map(({ study_uid }) => study_uid);
}

/** Statements that were built, for EXPLAIN. */
class Statements implements KyselyPlugin {
  readonly nodes: RootOperationNode[] = [];

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    this.nodes.push(node);
    return node;
  }

  transformResult({ result }: PluginTransformResultArgs) {
    return Promise.resolve(result);
  }
}

/** The same for each database: `create` gives the URL of an empty one. */
export function listQueryTests(create: () => Promise<string>): void {
  const opened: Database[] = [];
  const open = async (url?: string, migrations = MIGRATIONS) => {
    const database = openDatabase(url ?? (await create()), LOG, migrations);
    opened.push(database);
    return database;
  };
  afterAll(async () => {
    for (const database of opened) await database.close();
  });

  describe('pages, searches and counts of many studies', () => {
    const rows = rowsOf(MANY, 16);
    let database: Database;
    let list: Worklist;
    beforeAll(async () => {
      database = await open();
      list = new Worklist(database);
      await inserted(database, rows);
      // As in a list that is kept for a while.
      await database.write((db) => sql`update study set read_at = arrived_at where change % 10 > 0`.execute(db));
    });

    async function walked(selection: Selection, order: 'oldest' | 'newest', limit: number): Promise<string[]> {
      const found: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await list.page({ ...selection, order, limit, ...(cursor === undefined ? {} : { cursor }) });
        found.push(...page.rows.map(({ studyInstanceUid }) => studyInstanceUid));
        cursor = page.next;
      }
      return found;
    }

    const next = random(7);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(items.length * next())]!;
    const maybe = <T>(value: () => T, share = 0.3): T | undefined => (next() < share ? value() : undefined);
    const selection = (): Selection =>
      Object.fromEntries(
        Object.entries({
          searchPatient: next() < 0.5,
          search: maybe(() => pick(['common', 'comm', '1.2.826', 'c', 'co', 'a', 'ab common']), 0.5),
          filters: Object.fromEntries(
            Object.entries({
              states: maybe(() => [pick(SHOWN_STATES), pick(SHOWN_STATES)]),
              priority: maybe(() => pick(['urgent', 'routine'] as const)),
              view: maybe(() => pick(['frontal', 'lateral'] as const)),
              verdict: maybe(() => pick(['none', ...VERDICTS] as const)),
              // As of a part of an hour.
              arrivedFrom: maybe(() => 20 * DAY * next()),
              arrivedBefore: maybe(() => 20 * DAY + 20 * DAY * next()),
            }).filter(([, value]) => value !== undefined),
          ),
        }).filter(([, value]) => value !== undefined),
      ) as unknown as Selection;

    test.each(Array.from({ length: 20 }, (_, i) => [i, selection()] as const))(
      'selection %i: all pages together are what each row says, in both orders, and so is the count: %j',
      async (i, wanted) => {
        for (const order of ['oldest', 'newest'] as const)
          expect(await walked(wanted, order, i % 2 === 0 ? 37 : 300)).toEqual(expected(rows, wanted, order));
        const found = rows.filter((row) => isSelected(row, wanted));
        expect(await list.count(wanted)).toEqual({
          studies: found.length,
          urgent: found.filter(({ urgency }) => urgency === 0).length,
        });
      },
    );

    test('a longer word is found anywhere, one of two characters where a word begins, however odd', async () => {
      const searches = Array.from({ length: 120 }, () => {
        const row = pick(rows);
        const characters = Array.from(pick([row.search_study, row.search_patient]));
        const from = Math.floor(characters.length * next());
        return characters.slice(from, from + 1 + Math.floor(6 * next())).join('');
      });
      const odd = ['"', '""', '" or "', '%%%', '___', '\\\\\\', 'a* b*', '{a}:b', '-a-', '😀😀', '😀', '日本', "'--'"];
      for (const search of [...searches, ...odd])
        for (const searchPatient of [true, false]) {
          const wanted = { search, searchPatient };
          const { rows: found } = await list.page({ ...wanted, order: 'oldest', limit: 20 });
          expect({ search, found: found.map(({ studyInstanceUid }) => studyInstanceUid) }).toEqual({
            search,
            found: expected(rows, wanted, 'oldest').slice(0, 20),
          });
        }
    }, 120_000);

    test('whether entries are looked up or all looked at, the same are found', async () => {
      const ids = (search: string, most: number) =>
        database.read(async (db) => {
          const { conditions } = await planOf(db, database.kind, searchOf(search, true)!, most);
          const found = await sql<{
            id: number;
          }>`select id from list_entry where ${sql.join([...conditions], sql` and `)}
            order by id`.execute(db);
          return found.rows;
        });
      for (const search of ['common', 'ab', 'a', '1.2.826.0.1.17', 'c co com', 'ж', rows[9]!.study_uid])
        expect(await ids(search, 0)).toEqual(await ids(search, 1_000_000));
    });

    test('no page, search or count reads the wide rows but by their key, and each has its index', async () => {
      const plans = async (request: Partial<PageRequest>) => {
        const asked = { searchPatient: true, order: 'oldest', limit: 10, ...request } as const;
        return (
          await database.read((db) => explained(db, database.kind, (own) => findPage(own, database.kind, asked)))
        ).concat(
          await database.read((db) => explained(db, database.kind, (own) => countSelected(own, database.kind, asked))),
        );
      };
      if (database.kind === 'postgres') await database.write((db) => sql`analyze`.execute(db));
      for (const request of [
        {},
        { filters: { states: ['failed'], view: 'lateral' } },
        { filters: { verdict: 'none', arrivedFrom: DAY }, order: 'newest' },
        { filters: { work: { kind: 'unread' } }, index: 'list_entry_unread_oldest' },
        {
          filters: { work: { kind: 'unread' }, priority: 'urgent' },
          order: 'newest',
          index: 'list_entry_unread_newest',
        },
        { filters: { work: { kind: 'mine', by: 'local:a', now: 1 } }, index: 'study_claimed' },
        { filters: { work: { kind: 'read', from: DAY } }, index: 'list_entry_read' },
        { search: 'common' },
        { search: 'qqzx' },
        { search: 'qqzx', searchPatient: false, filters: { priority: 'urgent' } },
      ] as (Partial<PageRequest> & { readonly index?: string })[]) {
        const text = (await plans(request)).join('\n');
        expect(text).not.toMatch(/SCAN study\b|Seq Scan on study\b/);
        if (request.search !== 'qqzx')
          expect(text).toContain(request.index ?? `list_entry_${request.order ?? 'oldest'}`);
        else expect(text).toMatch(database.kind === 'sqlite' ? /VIRTUAL TABLE INDEX/ : /list_entry_search_study/);
      }
    });
  });

  /** The plans of all statements that `work` asks; those of PostgreSQL as if a table could not be read whole. */
  async function explained(
    db: Kysely<Schema>,
    kind: Database['kind'],
    work: (db: Kysely<Schema>) => Promise<unknown>,
  ): Promise<string[]> {
    const statements = new Statements();
    await work(db.withPlugin(statements));
    const lines: string[] = [];
    const explain = async (own: Kysely<Schema>) => {
      for (const [i, node] of statements.nodes.entries()) {
        const compiled = own.getExecutor().compileQuery(node, { queryId: String(i) });
        const text = `${kind === 'sqlite' ? 'explain query plan' : 'explain'} ${compiled.sql}`;
        const { rows } = await own.executeQuery(CompiledQuery.raw(text, [...compiled.parameters]));
        lines.push(...rows.map((row) => String(Object.values(row as object).at(-1))));
      }
    };
    if (kind === 'sqlite') await explain(db);
    else
      await db.transaction().execute(async (transaction) => {
        await sql`set local enable_seqscan = off`.execute(transaction);
        await explain(transaction);
      });
    return lines;
  }

  describe('what is kept beside the studies', () => {
    /** The same from `study` and `verdict` themselves. */
    async function recount(database: Database) {
      const { rows, verdicts, leftOut } = await database.read(async (db) => ({
        leftOut: await db
          .selectFrom('study')
          .select(['reason', (eb) => eb.fn.countAll<number>().as('studies')])
          .where((eb) => eb.or([eb('state', '=', 'left-alone'), eb('hidden', '=', 1)]))
          .groupBy('reason')
          .orderBy('reason')
          .execute(),
        rows: await db.selectFrom('study').selectAll().where('state', '<>', 'left-alone').execute(),
        verdicts: await db.selectFrom('verdict').selectAll().orderBy('change').execute(),
      }));
      const latest = [...new Map(verdicts.map(({ study_uid, verdict }) => [study_uid, verdict])).values()];
      const of = (verdict: string) => latest.filter((one) => one === verdict).length;
      const urgent = rows.filter(({ urgency, hidden }) => urgency === 0 && hidden === 0);
      const unread = rows.filter(({ read_at, hidden }) => read_at === null && hidden === 0);
      return {
        work: {
          unread: unread.length,
          unreadUrgent: unread.filter(({ urgency }) => urgency === 0).length,
          mine: rows.filter(({ claimed_by_id, hidden }) => claimed_by_id !== null && hidden === 0).length,
          readToday: rows.filter(({ read_at, hidden }) => read_at !== null && hidden === 0).length,
          hidden: rows.filter(({ hidden }) => hidden === 1).length,
        },
        leftOut: leftOut.map(({ reason, studies }) => ({ reason: reason ?? 'not-recorded', studies })),
        counts: {
          states: Object.fromEntries(
            SHOWN_STATES.map((state) => [state, rows.filter((row) => row.state === state && row.hidden === 0).length]),
          ),
          urgent: urgent.length,
          urgentUnjudged: urgent.filter(({ verdict }) => verdict === null).length,
        },
        agreement: { agree: of('agree'), disagree: of('disagree'), unusable: of('unusable') },
        entries: rows
          .map((row) => ({
            study_uid: row.study_uid,
            state: row.state,
            urgency: row.urgency,
            arrived_at: row.arrived_at,
            newest_key: 0 - row.arrived_at,
            verdict: row.verdict,
            frontal_view: Number(row.views.includes('frontal')),
            lateral_view: Number(row.views.includes('lateral')),
            search_study: `  ${row.search_study.replaceAll(' ', '  ')}`,
            search_patient: `  ${row.search_patient.replaceAll(' ', '  ')}`,
            read_at: row.read_at,
            unread: Number(row.read_at === null),
            hidden: row.hidden,
          }))
          .sort((a, b) => (a.study_uid < b.study_uid ? -1 : 1)),
      };
    }

    async function kept(database: Database) {
      // A clock at 0, so that no claim has ended.
      const list = new Worklist(database, () => 0);
      const { agree, disagree, unusable } = await list.agreement();
      const entries = await database.read((db) => db.selectFrom('list_entry').select(ENTRY).execute());
      return {
        work: await list.work(AUTHOR.id, 0),
        leftOut: await list.leftOut(),
        counts: await list.counts(),
        agreement: { agree, disagree, unusable },
        entries: entries.sort((a, b) => (a.study_uid < b.study_uid ? -1 : 1)),
      };
    }

    /** FTS5 compares its index with the text, and fails where they differ (sqlite.org/fts5.html, section 6.3). */
    const checkSearch = async (database: Database) => {
      if (database.kind === 'sqlite')
        await database.write((db) =>
          sql`insert into list_search (list_search, rank) values ('integrity-check', 1)`.execute(db),
        );
    };

    test('entries and counts are those of the studies after anything that may happen', async () => {
      const database = await open();
      const next = random(3);
      const pick = <T>(items: readonly T[]): T => items[Math.floor(items.length * next())]!;
      let clock = Date.parse('2026-03-03T00:00:00.000Z');
      const list = new Worklist(database, () => clock);
      const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
      const uid = (name: string): Uid => deriveUid(['study', name]);
      const steps: readonly Step[] = [
        { kind: 'waiting', priority: 'urgent' },
        { kind: 'waiting', priority: 'routine' },
        { kind: 'analysing', attempt: 1 },
        { kind: 'failed', reason: 'UNKNOWN' },
        { kind: 'nothing-new' },
      ];
      const record = (name: string) =>
        studyRecord(name, {
          key: deriveUid([name, clock]),
          completedAt: new Date(clock).toISOString(),
          priority: pick(['urgent', 'routine']),
          patient: { ...studyRecord(name).patient, PatientName: `Name${Math.floor(5 * next())}^X` },
        });
      const hand = filmRecord('hand', { outcome: 'rejected', reason: 'body-part', probability: null, outputs: [] });
      const remove = (table: 'study' | 'verdict', name: string) =>
        database.write(async (db) => {
          if (table === 'study') await db.deleteFrom('study').where('study_uid', '=', uid(name)).execute();
          else await db.deleteFrom('verdict').where('study_uid', '=', uid(name)).execute();
        });
      const acts: readonly ((name: string) => Promise<unknown>)[] = [
        (name) => list.advance(uid(name), pick(steps), clock),
        (name) => list.advance(uid(name), pick(steps), clock),
        (name) => list.record(record(name)),
        (name) => list.verdict(uid(name), { verdict: pick(VERDICTS), note: '', by: { id: 'local:a', name: 'a' } }),
        (name) => list.setPriority(uid(name), pick(['urgent', null]), { id: 'local:a', name: 'a' }),
        (name) => list.correct(uid(name), { of: 'film', attributes: record(name) }),
        (name) => list.record({ ...record(name), priority: null, films: [hand] }),
        (name) => list.claim(uid(name), { by: AUTHOR, forMs: 1_500 }),
        (name) => list.markRead(uid(name), { how: 'ris', at: clock }),
        (name) => list.markUnread(uid(name), AUTHOR),
        (name) => (next() < 0.3 ? remove(pick(['study', 'verdict']), name) : Promise.resolve()),
      ];
      for (let i = 0; i < 200; i++) {
        clock += 1_000;
        await pick(acts)(pick(names));
        if (i % 20 === 19) expect(await kept(database)).toEqual(await recount(database));
      }
      await checkSearch(database);
    }, 120_000);

    test('a list of the version before keeps its rows, and has entries, counts and search', async () => {
      const url = await create();
      const before = openDatabase(url, LOG, MIGRATIONS.slice(0, 4));
      const rows = rowsOf(1_500, 5);
      await inserted(before, rows);
      await before.write(async (db) => {
        for (const [i, { study_uid, verdict }] of rows.slice(0, 300).entries())
          await db
            .insertInto('verdict')
            .values({ change: i + 1, study_uid, verdict: verdict ?? 'agree', note: '', by_user: 'a', at: i })
            .execute();
      });
      await before.close();
      const database = await open(url);
      expect(await kept(database)).toEqual(await recount(database));
      await checkSearch(database);
      const search = rows.find(({ state, search_study }) => state === 'done' && search_study.length > 20)!.search_study;
      const wanted = { search, searchPatient: true };
      const found = (await new Worklist(database).page({ ...wanted, order: 'newest', limit: 5 })).rows;
      expect(found.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual(
        expected(rows, wanted, 'newest').slice(0, 5),
      );
    }, 60_000);

    test('verdicts of the version before are counted with the same patients as those that follow', async () => {
      const url = await create();
      const before = openDatabase(url, LOG, MIGRATIONS.slice(0, 6));
      const { patient } = studyRecord('a');
      const plain = (id: string) => deriveUid(['patient', patient.IssuerOfPatientID, id]);
      await before.write(async (db) => {
        for (const [i, id] of [patient.PatientID, 'other', patient.PatientID, null].entries())
          await db
            .insertInto('verdict')
            .values({
              change: i + 1,
              study_uid: `1.2.${i}`,
              verdict: 'agree',
              note: '',
              by_user: 'a',
              at: i,
              priority: 'urgent',
              film_uid: '1.3',
              patient_key: id === null ? null : plain(id),
            })
            .execute();
      });
      await before.close();
      const database = await open(url);
      const list = new Worklist(database);
      await list.record(studyRecord('a'));
      await database.write((db) => db.updateTable('counter').set({ value: 10 }).execute());
      await list.verdict(deriveUid(['study', 'a']), {
        verdict: 'agree',
        note: '',
        by: { id: 'local:a', name: 'a' },
      });
      const digests: string[] = [];
      for await (const line of list.verdictsCsv()) digests.push(line.split(',')[2]!);
      const [, first, other, third, none, last] = digests;
      expect([first === third, first === last, first === other, none]).toEqual([true, true, false, '']);
      expect(digests.some((digest) => digest === plain(patient.PatientID))).toBe(false);
      expect((await list.study(deriveUid(['study', 'a'])))!.verdicts[0]!.by).toEqual({ id: 'local:a', name: 'a' });
    }, 60_000);

    test('names are found with plain letters and with their own, also those that version 0.1 has written', async () => {
      const NAMES = [
        ['Weiß^Anna', 'weiss', 'WEIß', 'weiẞ'],
        ['Łukasiewicz^Đorđe', 'lukasiewicz dorde', 'ŁUKASIEWICZ'],
        ['Sørensen^Bjørn', 'sorensen', 'SØREN'],
        ['Παπαδόπουλος^Νίκος', 'παπαδοπουλοσ', 'ΝΙΚΟΣ'],
        ['Yıldız^Işık', 'yildiz', 'YILDIZ'],
      ] as const;
      const rows = rowsOf(NAMES.length * 2, 7).map((row, i) => ({
        ...row,
        state: 'done' as const,
        search_study: row.study_uid,
        name: NAMES[i % NAMES.length]![0],
      }));
      const old = rows.map(({ name, ...row }) => ({
        ...row,
        search_patient: name.replace('^', ' ').normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase(),
      }));
      const url = await create();
      const before = openDatabase(url, LOG, MIGRATIONS.slice(0, 5));
      await inserted(before, old.slice(0, NAMES.length));
      await before.close();
      const database = await open(url);
      await inserted(database, old.slice(NAMES.length));
      const list = new Worklist(database);
      for (const [PatientName] of NAMES)
        await list.advance(deriveUid([PatientName]), { kind: 'waiting', priority: null }, 1, {
          mayHaveFilms: true,
          summary: { ...NO_SUMMARY, PatientName },
        });
      for (const [, ...searches] of NAMES)
        for (const search of searches)
          expect([search, (await list.count({ search, searchPatient: true })).studies]).toEqual([search, 3]);
    });

    test('a list whose search text was divided otherwise finds the same as a new one, for each role', async () => {
      const url = await create();
      const before = openDatabase(url, LOG, MIGRATIONS.slice(0, 5));
      const made = rowsOf(400, 6);
      const summaries = made.map(({ study_uid, search_patient }, i) => ({
        PatientID: `ID${i}`,
        PatientName: search_patient,
        PatientBirthDate: '',
        PatientSex: '',
        AccessionNumber: ['', `ACC ${i}`, `^${i}`, study_uid, `X${study_uid}`][i % 5]!,
        StudyDate: '',
        StudyTime: '',
        StudyDescription: ['', 'Chest PA', `Thorax ${study_uid}`][i % 3]!,
      }));
      const dividedAsBefore = made.map((row, i) => {
        const { PatientName, PatientID, AccessionNumber, StudyDescription } = summaries[i]!;
        return {
          ...row,
          search_patient: `${fold(PatientName)} ${fold(PatientID)}`.trim(),
          search_study: `${fold(AccessionNumber)} ${row.study_uid} ${fold(StudyDescription)}`.trim(),
        };
      });
      await inserted(before, dividedAsBefore);
      await before.close();
      const [upgraded, fresh] = [await open(url), await open()];
      await inserted(
        fresh,
        made.map((row, i) => ({ ...row, ...summaryColumns(row.study_uid, summaries[i]!) })),
      );
      expect(await kept(upgraded)).toEqual(await recount(upgraded));
      await checkSearch(upgraded);
      for (const search of [
        'acc 7',
        'chest',
        'id12',
        'thorax',
        made[3]!.study_uid,
        made[4]!.study_uid,
        'x1.2.826',
        '^9',
      ])
        for (const searchPatient of [true, false]) {
          const found = async (database: Database) =>
            (await new Worklist(database).page({ search, searchPatient, order: 'oldest', limit: 1_000 })).rows.map(
              ({ studyInstanceUid }) => studyInstanceUid,
            );
          expect([search, searchPatient, await found(upgraded)]).toEqual([search, searchPatient, await found(fresh)]);
        }
      // Triggers and index go on from there.
      const list = new Worklist(upgraded);
      await list.advance(deriveUid(['new']), { kind: 'waiting', priority: null }, 1, {
        mayHaveFilms: true,
        summary: { ...summaries[0]!, AccessionNumber: 'NEWONE' },
      });
      const after = (searchPatient: boolean) => list.count({ search: 'newone', searchPatient });
      expect([(await after(true)).studies, (await after(false)).studies]).toEqual([1, 0]);
      await checkSearch(upgraded);
    }, 60_000);
  });
}
