import { deriveUid, type Uid } from '../../../src/dicom/uid';
import type { Step } from '../../../src/events/progress-event';
import { SR_CLASSES } from '../../../src/objects/structured-report';
import type { FilmRecord, StudyRecord } from '../../../src/sinks/record';
import type { Author } from '../../../src/worklist/author';
import type { Database } from '../../../src/worklist/database';
import { MIGRATIONS } from '../../../src/worklist/migrations/index';
import type { WorkFilter } from '../../../src/worklist/page-query';
import { Worklist } from '../../../src/worklist/worklist';
import { filmRecord, studyRecord } from '../records/study-record';
import { NO_SUMMARY } from '../records/study-summary';

const uid = (name: string): Uid => deriveUid(['study', name]);
const ANA: Author = { id: 'local:ana', name: 'Ana' };
const BEN: Author = { id: 'oidc:ben', name: 'Ben' };
const MINUTES = 60_000;
const FOR_MS = 15 * MINUTES;
const SUMMARY = { ...NO_SUMMARY, PatientID: 'ID', PatientName: 'A^B' };
const NO_FILM = { summary: SUMMARY, mayHaveFilms: false };
const FILM = { summary: SUMMARY, mayHaveFilms: true };
const LATERAL: Partial<FilmRecord> = { outcome: 'not-analysed', reason: 'lateral-view', probability: null };
const HAND: Partial<FilmRecord> = { outcome: 'rejected', reason: 'body-part', probability: null, outputs: [] };
const waiting: Step = { kind: 'waiting', priority: null };
const analysing: Step = { kind: 'analysing', attempt: 1 };
const failed: Step = { kind: 'failed', reason: 'STORE_FAILED' };
const STEPS: readonly Step[] = [
  waiting,
  { kind: 'waiting', priority: 'urgent' },
  analysing,
  { kind: 'returned' },
  { kind: 'retry', reason: 'ARCHIVE_TIMEOUT', retryAt: 5 },
  failed,
];

/** The same for each database: `create` gives the URL of an empty one, `open` opens it. */
export function workStateTests(
  create: () => Promise<string>,
  open: (url: string, migrations?: typeof MIGRATIONS) => Database,
): void {
  let database: Database;
  let list: Worklist;
  let clock: number;

  beforeEach(async () => {
    database = open(await create());
    clock = Date.parse('2026-03-03T08:00:00.000Z');
    list = new Worklist(database, () => clock);
  });
  afterEach(() => database.close());

  const detail = async (name: string) => (await list.study(uid(name)))!;
  const row = async (name: string) => (await detail(name)).row;
  const history = async (name: string) =>
    (await detail(name)).history.map(({ kind, detail: more }) => ({ kind, more }));
  const claim = (name: string, by: Author, takeOver = false) => list.claim(uid(name), { by, forMs: FOR_MS, takeOver });
  const names = async (work?: WorkFilter, withHidden = false) =>
    (
      await list.page({
        searchPatient: true,
        order: 'oldest',
        limit: 100,
        filters: { withHidden, ...(work === undefined ? {} : { work }) },
      })
    ).rows.map(({ studyInstanceUid }) => studyInstanceUid);
  const mine = (by: Author): WorkFilter => ({ kind: 'mine', by: by.id, now: clock });
  const again = (name: string, change: Partial<StudyRecord> = {}) =>
    studyRecord(name, {
      key: deriveUid([name, 'again', String(clock)]),
      completedAt: new Date(clock).toISOString(),
      ...change,
    });
  const judge = (name: string, verdict: 'agree' | 'disagree' | 'unusable', by = ANA) =>
    list.verdict(uid(name), { verdict, note: '', by });

  /** Studies in each state that is shown, by the same name. */
  async function everyState(): Promise<void> {
    await list.advance(uid('waiting'), waiting, 1_000, FILM);
    await list.advance(uid('analysing'), analysing, 2_000, FILM);
    await list.record(studyRecord('done'));
    await list.record(studyRecord('not-analysed', { priority: null, films: [filmRecord('b', LATERAL)] }));
    await list.advance(uid('failed'), failed, 3_000, FILM);
  }
  const STATES = ['waiting', 'analysing', 'done', 'not-analysed', 'failed'] as const;

  describe('who reads a study', () => {
    test.each(STATES)('%s: unread, claimed, read, and unread again, each step in its history', async (state) => {
      await everyState();
      expect(await row(state)).toMatchObject({ state, claim: null, read: null, firstOpenedAt: null });
      const opened = clock;
      expect(await claim(state, ANA)).toEqual({
        isClaimed: true,
        claim: { by: ANA, until: clock + FOR_MS },
        read: null,
      });
      clock += MINUTES;
      const before = await list.lastChange();
      expect(await list.markRead(uid(state), { how: 'person', by: ANA })).toBe(true);
      expect((await list.changesSince(before)).rows).toMatchObject([{ read: { at: clock, how: 'person', by: ANA } }]);
      expect(await row(state)).toMatchObject({ state, claim: null, firstOpenedAt: opened });
      expect(await claim(state, BEN)).toMatchObject({ isClaimed: false, claim: null, read: { by: ANA } });
      clock += MINUTES;
      expect(await list.markUnread(uid(state), BEN)).toBe(true);
      expect(await row(state)).toMatchObject({ read: null, firstOpenedAt: opened });
      expect(await list.markUnread(uid(state), BEN)).toBe(false);
      const work = (await history(state)).filter(({ kind }) => ['claim', 'read', 'unread'].includes(kind));
      expect(work).toEqual([
        { kind: 'unread', more: { by: 'Ben', byId: 'oidc:ben' } },
        { kind: 'read', more: { how: 'person', by: 'Ana', byId: 'local:ana' } },
        { kind: 'claim', more: { by: 'Ana', byId: 'local:ana' } },
      ]);
    });

    test('of two who claim at the same moment one has it, and the other is told who', async () => {
      await list.record(studyRecord('a'));
      const people = Array.from({ length: 6 }, (_, i) => ({ id: `local:${i}`, name: `N${i}` }));
      const outcomes = await Promise.all(people.map((by) => claim('a', by)));
      const winners = outcomes.filter((outcome) => outcome!.isClaimed);
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) expect(outcome!.claim).toEqual(winners[0]!.claim);
      expect((await history('a')).filter(({ kind }) => kind === 'claim')).toHaveLength(1);
    });

    test('a claim is renewed, ends by itself, is given back by its owner alone, and is taken over', async () => {
      await list.record(studyRecord('a'));
      await claim('a', ANA);
      clock += FOR_MS - 1;
      expect(await claim('a', ANA)).toMatchObject({ isClaimed: true, claim: { until: clock + FOR_MS } });
      expect(await claim('a', BEN)).toMatchObject({ isClaimed: false, claim: { by: ANA } });
      expect(await list.release(uid('a'), BEN)).toBe(false);
      expect(await names(mine(ANA))).toEqual([uid('a')]);
      expect(await names(mine(BEN))).toEqual([]);
      clock += FOR_MS;
      expect(await names(mine(ANA))).toEqual([]);
      expect((await list.work(ANA.id, 0)).mine).toBe(0);
      expect(await list.release(uid('a'), ANA)).toBe(false);
      expect(await claim('a', BEN)).toMatchObject({ isClaimed: true, claim: { by: BEN } });
      expect(await claim('a', ANA, true)).toMatchObject({ isClaimed: true, claim: { by: ANA } });
      expect(await list.release(uid('a'), ANA)).toBe(true);
      expect(await row('a')).toMatchObject({ claim: null, read: null });
      expect((await history('a')).filter(({ kind }) => kind !== 'result')).toEqual([
        { kind: 'release', more: { by: 'Ana', byId: 'local:ana' } },
        { kind: 'claim', more: { by: 'Ana', byId: 'local:ana', from: 'Ben', fromId: 'oidc:ben' } },
        { kind: 'claim', more: { by: 'Ben', byId: 'oidc:ben' } },
        { kind: 'claim', more: { by: 'Ana', byId: 'local:ana' } },
      ]);
    });

    test('what is not on the list is neither claimed nor read', async () => {
      await list.advance(uid('ct'), waiting, 1_000, NO_FILM);
      for (const name of ['ct', 'unknown']) {
        expect(await claim(name, ANA)).toBeNull();
        expect(await list.release(uid(name), ANA)).toBe(false);
        expect(await list.markRead(uid(name), { how: 'ris', at: clock })).toBe(false);
        expect(await list.markUnread(uid(name), ANA)).toBe(false);
      }
    });
  });

  describe('what is read', () => {
    test('a verdict reads it and ends the claim, whoever has it; the first reading counts', async () => {
      await list.record(studyRecord('a'));
      await claim('a', BEN);
      const at = clock;
      await judge('a', 'agree');
      expect(await row('a')).toMatchObject({ claim: null, read: { at, how: 'verdict', by: ANA } });
      clock += MINUTES;
      await judge('a', 'disagree', BEN);
      await list.markRead(uid('a'), { how: 'ris', at: clock });
      await list.markRead(uid('a'), { how: 'person', by: BEN });
      expect(await row('a')).toMatchObject({ read: { at, how: 'verdict', by: ANA } });
    });

    test('a final report in the RIS reads it at the time given; an earlier one does not read it again', async () => {
      await list.record(studyRecord('a', { priority: 'routine' }));
      const at = clock - 5 * MINUTES;
      for (let i = 0; i < 2; i++) expect(await list.markRead(uid('a'), { how: 'ris', at })).toBe(true);
      expect(await row('a')).toMatchObject({ read: { at, how: 'ris', by: null } });
      expect((await history('a')).filter(({ kind }) => kind === 'read')).toEqual([
        { kind: 'read', more: { how: 'ris' } },
      ]);
      await list.markUnread(uid('a'), ANA);
      await list.markRead(uid('a'), { how: 'ris', at });
      expect((await row('a')).read).toBeNull();
      await list.markRead(uid('a'), { how: 'ris', at: clock + 1 });
      expect((await row('a')).read).not.toBeNull();
    });

    const other = filmRecord('other');
    const film = (name: string) => filmRecord(name);
    test.each<[string, Partial<StudyRecord>, boolean]>([
      ['the same films and priority', {}, true],
      ['another priority', { priority: 'routine' }, false],
      ['no priority any more', { priority: null, films: [filmRecord('a', LATERAL)] }, false],
      ['another film', { films: [film('a'), other] }, false],
      ['another film in the place of the first', { films: [other] }, false],
    ])('a new result with %s: read stays %s', async (_, change, stays) => {
      const report = {
        sopClassUid: SR_CLASSES['comprehensive-3d'],
        seriesInstanceUid: uid('s'),
        sopInstanceUid: uid('r'),
      };
      await list.record(studyRecord('a', { films: [filmRecord('a', { outputs: [report] })] }));
      await list.markRead(uid('a'), { how: 'person', by: ANA });
      clock += MINUTES;
      const changed = again('a', change);
      const films = changed.films.map((one, i) => (i === 0 ? { ...one, supersedes: [report.sopInstanceUid] } : one));
      expect(await list.record({ ...changed, films })).toBe(true);
      expect((await row('a')).read === null).toBe(!stays);
      const last = (await history('a')).find(({ kind }) => kind === 'result')!;
      expect(last.more['isUnreadAgain']).toBe(stays ? undefined : true);
      // A RIS report made no later than the result is no reading of it; the result told again changes nothing.
      await list.markRead(uid('a'), { how: 'ris', at: clock });
      expect((await row('a')).read === null).toBe(!stays);
      await list.markRead(uid('a'), { how: 'person', by: BEN });
      await list.record({ ...changed, films });
      expect((await row('a')).read).not.toBeNull();
    });

    test.each([
      ['routine', true],
      ['urgent', false],
    ] as const)('read without a result, a %s one comes: read stays %s', async (priority, stays) => {
      await list.advance(uid('a'), waiting, 1_000, FILM);
      await list.markRead(uid('a'), { how: 'ris', at: clock });
      clock += MINUTES;
      await list.record(again('a', { priority }));
      expect((await row('a')).read === null).toBe(!stays);
      // So where the report is told of after the result, but was made before it.
      await list.record(again('b', { priority }));
      await list.markRead(uid('b'), { how: 'ris', at: clock - 1 });
      expect((await row('b')).read === null).toBe(!stays);
    });

    test('unread, mine, read since, all: pages and counts say the same', async () => {
      await everyState();
      for (const name of ['yesterday', 'urgent']) await list.record(studyRecord(name));
      await list.markRead(uid('yesterday'), { how: 'ris', at: clock - 86_400_000 });
      await list.record(studyRecord('hand', { priority: null, films: [filmRecord('h', HAND)] }));
      await list.record(studyRecord('hand-2', { priority: null, films: [filmRecord('h2', HAND)] }));
      await list.markRead(uid('hand-2'), { how: 'person', by: ANA });
      await list.markRead(uid('done'), { how: 'person', by: ANA });
      await claim('hand', ANA);
      await claim('failed', ANA);
      await claim('waiting', BEN);
      const from = clock - MINUTES;
      const [unread, read]: WorkFilter[] = [{ kind: 'unread' }, { kind: 'read', from }];
      expect(new Set(await names(unread))).toEqual(
        new Set(['waiting', 'analysing', 'not-analysed', 'failed', 'urgent'].map(uid)),
      );
      expect(await names(mine(ANA))).toEqual([uid('failed')]);
      expect(await names(read)).toEqual([uid('done')]);
      expect(await names()).toHaveLength(7);
      expect(await names(undefined, true)).toHaveLength(9);
      expect(await list.work(ANA.id, from)).toEqual({ unread: 5, unreadUrgent: 1, mine: 1, readToday: 1, hidden: 2 });
      for (const work of [unread, read, mine(ANA)])
        expect((await list.count({ searchPatient: true, filters: { work: work! } })).studies).toBe(
          (await names(work)).length,
        );
    });
  });

  describe("a verdict and the finding's urgency", () => {
    test.each([
      ['nobody', null, null],
      ['the order', 'urgent', null],
      ['a person', null, 'urgent'],
      ['both', 'urgent', 'urgent'],
    ] as const)('disagree takes away what the finding says, and nothing that %s says', async (_, order, person) => {
      await list.advance(uid('a'), { kind: 'waiting', priority: order }, 1_000, FILM);
      await list.record(studyRecord('a'));
      await list.setPriority(uid('a'), person, BEN);
      const others = order ?? person ?? 'routine';
      await judge('a', 'disagree');
      expect(await row('a')).toMatchObject({
        priority: others,
        isFindingWithdrawn: true,
        priorities: { triage: order, finding: 'urgent', person },
      });
      expect((await history('a'))[0]).toEqual({
        kind: 'verdict',
        more: { verdict: 'disagree', by: 'Ana', byId: 'local:ana', finding: 'withdrawn' },
      });
      // Steps of its way, and marks by others, do not bring it back.
      await list.advance(uid('a'), { kind: 'nothing-new' });
      await list.setPriority(uid('a'), null, BEN);
      await list.setPriority(uid('a'), person, BEN);
      expect((await row('a')).priority).toBe(others);
      await judge('a', 'agree', BEN);
      expect(await row('a')).toMatchObject({ priority: 'urgent', isFindingWithdrawn: false });
      expect((await history('a'))[0]!.more).toMatchObject({ verdict: 'agree', finding: 'restored' });
    });

    test('a result told again keeps it withdrawn, a new one counts', async () => {
      await list.record(studyRecord('a'));
      await judge('a', 'disagree');
      await list.record(studyRecord('a'));
      expect(await row('a')).toMatchObject({ priority: 'routine' });
      const films = [filmRecord('a', { supersedes: [uid('earlier')] })];
      expect(await list.record(again('a', { films }))).toBe(true);
      expect(await row('a')).toMatchObject({ priority: 'urgent', isFindingWithdrawn: false });
      expect((await history('a')).find(({ kind }) => kind === 'result')!.more['finding']).toBe('restored');
    });

    test('a verdict on a finding that is not urgent withdraws nothing that counts', async () => {
      await list.record(studyRecord('a', { priority: 'routine' }));
      await judge('a', 'disagree');
      expect((await history('a'))[0]!.more['finding']).toBeUndefined();
      expect((await row('a')).priority).toBe('routine');
    });
  });

  describe('only chest films', () => {
    test.each(STEPS.map((step) => [step.kind, step] as const))(
      'a study without CR or DX makes no row at %s, and takes one away that was made before that was known',
      async (_, step) => {
        await list.advance(uid('ct'), step, 1_000, NO_FILM);
        await list.advance(uid('late'), waiting, 1_000);
        expect(await names()).toEqual([uid('late')]);
        await list.advance(uid('late'), step, 2_000, NO_FILM);
        expect(await names(undefined, true)).toEqual([]);
        expect(await list.leftOut()).toEqual([{ reason: 'modality', studies: 2 }]);
        // As long as the archive does not tell, it may be a chest film.
        await list.advance(uid('unknown'), step, 1_000);
        expect(await names()).toEqual([uid('unknown')]);
      },
    );

    const rejected = (reason: FilmRecord['reason'], name = 'x') =>
      filmRecord(name, { outcome: 'rejected', reason, probability: null, outputs: [] });
    test.each<[string, FilmRecord[], string, string | null, string[]]>([
      ['a hand', [rejected('body-part')], 'hidden', 'body-part', []],
      ["another product's overlay", [rejected('derived-result')], 'hidden', 'derived-result', []],
      ['a phantom hand', [rejected('quality-control-image')], 'hidden', 'quality-control-image', []],
      ['a paw', [rejected('not-human')], 'hidden', 'not-human', []],
      ['a raw hand', [rejected('not-for-presentation')], 'hidden', 'not-for-presentation', []],
      ['ribs, which have a report', [filmRecord('x', { ...LATERAL, reason: 'body-part' })], 'shown', 'body-part', []],
      [
        'a picture unlike chest films',
        [filmRecord('x', { ...LATERAL, reason: 'unlike-training-films' })],
        'shown',
        'unlike-training-films',
        [],
      ],
      ['what can not be read', [rejected('unreadable')], 'shown', 'unreadable', []],
      ['a film that a note rejects', [rejected('rejected-for-quality')], 'shown', 'rejected-for-quality', []],
      ['a hand and a lateral chest', [rejected('body-part'), filmRecord('y', LATERAL)], 'shown', 'lateral-view', []],
      ['a hand and a chest', [rejected('body-part'), filmRecord('y')], 'shown', null, []],
      ['a hand and a document', [rejected('no-image', 'y'), rejected('body-part')], 'hidden', 'body-part', []],
      ['a document that says CR', [rejected('no-image')], 'none', 'no-image', []],
      ['another modality', [rejected('modality')], 'none', 'modality', []],
      ['no film, series of MR', [], 'none', 'modality', ['MR', 'SR']],
      ['no film, a presentation state that says CR', [], 'none', 'no-image', ['CR']],
    ])('%s', async (_, films, where, reason, skipped) => {
      const priority = films.some(({ outcome }) => outcome === 'analysed') ? 'urgent' : null;
      await list.advance(uid('a'), waiting, 1_000, FILM);
      await list.record(studyRecord('a', { films, priority, skipped }));
      expect([(await names()).length, (await names(undefined, true)).length]).toEqual(
        { shown: [1, 1], hidden: [0, 1], none: [0, 0] }[where],
      );
      const found = await row('a');
      expect(found).toMatchObject({ reason, isHidden: where === 'hidden', patient: { PatientID: 'ID-a' } });
      if (where !== 'none')
        expect(found.lead!.sopInstanceUid).toBe(deriveUid(['film', films.length > 1 && where === 'shown' ? 'y' : 'x']));
      expect(await list.leftOut()).toEqual(where === 'shown' ? [] : [{ reason, studies: 1 }]);
      expect((await list.counts()).states['not-analysed']).toBe(where === 'shown' && reason !== null ? 1 : 0);
      // A failure has to be looked at, and the next result says again what it is.
      await list.advance(uid('a'), failed);
      expect(await names()).toEqual([uid('a')]);
      await list.record(studyRecord('a', { films, priority, skipped }));
      expect((await names()).length).toBe(where === 'shown' ? 1 : 0);
    });
  });

  test('a result of which neither film nor report can be read leaves the patient that was listed', async () => {
    await list.advance(uid('a'), waiting, 1_000, FILM);
    const { patient, study, order } = studyRecord('a');
    const blank = <T extends object>(facts: T) => Object.fromEntries(Object.keys(facts).map((key) => [key, ''])) as T;
    const nobody = { patient: blank(patient), study: blank(study), order: blank(order) };
    const films = [filmRecord('a', { ...HAND, reason: 'unreadable', modality: '' })];
    await list.record(studyRecord('a', { ...nobody, priority: null, films }));
    expect(await row('a')).toMatchObject({ reason: 'unreadable', patient: { PatientID: 'ID', PatientName: 'A^B' } });
    expect((await list.count({ searchPatient: true, search: 'id' })).studies).toBe(1);
  });

  test('a list of the version before: judged studies are read, radiographs of something else hidden', async () => {
    const url = await create();
    const before = open(
      url,
      MIGRATIONS.filter(({ name }) => name < '009'),
    );
    const old = (name: string, films: FilmRecord[], more: object) => ({
      study_uid: uid(name),
      state: 'not-analysed' as const,
      reason: films[0]?.reason ?? null,
      urgency: 1,
      arrived_at: 1,
      change: 1,
      record_key: '1.2',
      record: JSON.stringify(studyRecord(name, { films, priority: null })),
      ...more,
    });
    await before.write(async (db) => {
      const rows = [
        old('judged', [filmRecord('j')], { state: 'done', verdict: 'agree', verdict_at: 77, verdict_by: 'Ana' }),
        old('lateral', [filmRecord('l', LATERAL)], {}),
        old('hand', [filmRecord('h', HAND)], {}),
        old('both', [filmRecord('h', HAND), filmRecord('l', LATERAL)], {}),
        old('document', [filmRecord('d', { ...HAND, reason: 'no-image' })], {}),
        old('mr', [], {}),
        old('ct', [], { state: 'left-alone' }),
      ];
      await db.insertInto('study').values(rows).execute();
    });
    await before.close();
    await database.close();
    database = open(url);
    list = new Worklist(database, () => clock);
    expect(await row('judged')).toMatchObject({ read: { at: 77, how: 'verdict', by: { id: null, name: 'Ana' } } });
    expect(new Set(await names({ kind: 'unread' }))).toEqual(new Set(['lateral', 'both'].map(uid)));
    expect(new Set(await names(undefined, true))).toEqual(new Set(['judged', 'lateral', 'both', 'hand'].map(uid)));
    expect(await list.leftOut()).toEqual([
      { reason: 'body-part', studies: 1 },
      { reason: 'no-image', studies: 1 },
      { reason: 'not-recorded', studies: 2 },
    ]);
    expect(await list.work(ANA.id, 0)).toEqual({ unread: 2, unreadUrgent: 0, mine: 0, readToday: 1, hidden: 1 });
  });
}
