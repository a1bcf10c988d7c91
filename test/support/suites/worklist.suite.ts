import { deriveUid, type Uid } from '../../../src/dicom/uid';
import { readLabels } from '../../../src/evaluation/labels';
import type { Step } from '../../../src/events/progress-event';
import { SR_CLASSES } from '../../../src/objects/structured-report';
import type { FilmRecord } from '../../../src/sinks/record';
import type { Database } from '../../../src/worklist/database';
import { Worklist } from '../../../src/worklist/worklist';
import { covid } from '../records/finding';
import { filmRecord, studyRecord } from '../records/study-record';

const uid = (name: string): Uid => deriveUid(['study', name]);
const SUMMARY = {
  PatientID: 'ID-a',
  PatientName: 'Müller^Änne',
  PatientBirthDate: '',
  PatientSex: '',
  AccessionNumber: 'ACC%1',
  StudyDate: '20260301',
  StudyTime: '',
  StudyDescription: 'Thorax',
};
const FILM = { summary: SUMMARY, mayHaveFilms: true };
const waiting = (priority: 'urgent' | 'routine' | null): Step => ({ kind: 'waiting', priority });
const LATER = '2026-03-02T00:00:00.000Z';
const REPORT = {
  sopClassUid: SR_CLASSES['comprehensive-3d'],
  seriesInstanceUid: deriveUid(['report series']),
};
const ALL = { searchPatient: true, order: 'oldest', limit: 100 } as const;

/** The same tests for each database: `open` gives an empty one for each test. */
export function worklistTests(open: () => Promise<Database>): void {
  let database: Database;
  let list: Worklist;
  let clock = 0;

  beforeEach(async () => {
    database = await open();
    clock = Date.parse('2026-03-03T00:00:00.000Z');
    list = new Worklist(database, () => clock);
  });
  afterEach(() => database.close());

  const row = async (name: string) => (await list.study(uid(name)))?.row;
  const names = async (request: Partial<Parameters<Worklist['page']>[0]> = {}) =>
    (await list.page({ ...ALL, ...request })).rows.map(({ studyInstanceUid }) => studyInstanceUid);

  test('workers: what each that told of a study has in hand, and since when; after a day it is forgotten', async () => {
    const analysing: Step = { kind: 'analysing', attempt: 1 };
    const tell = (name: string, step: Step, at: number, worker: string | null) =>
      list.advance(uid(name), step, at, null, worker);
    clock = 100_000;
    await tell('a', waiting('routine'), 1_000, 'one:1');
    await tell('a', analysing, 2_000, 'one:1');
    await tell('b', analysing, 3_000, 'one:1');
    await tell('c', analysing, 4_000, 'two:7');
    await tell('unnamed', analysing, 5_000, null);
    const idle = { studies: 0, since: null };
    expect(await list.workers()).toEqual([
      { name: 'one:1', heardAt: 3_000, studies: 2, since: 2_000 },
      { name: 'two:7', heardAt: 4_000, studies: 1, since: 4_000 },
    ]);
    // One that died: another has its study now.
    await tell('a', analysing, 6_000, 'two:7');
    await tell('b', { kind: 'returned' }, 7_000, 'one:1');
    await list.record(studyRecord('c', { studyInstanceUid: uid('c') }));
    // An older step that arrives late is no sign of life of the worker.
    await tell('d', waiting(null), 500, 'two:7');
    expect(await list.workers()).toEqual([
      { name: 'one:1', heardAt: 7_000, ...idle },
      { name: 'two:7', heardAt: 6_000, studies: 1, since: 6_000 },
    ]);
    clock = 86_400_000 + 6_500;
    expect((await list.workers()).map(({ name }) => name)).toEqual(['one:1']);
    await tell('e', waiting(null), 86_400_000 + 6_500, 'three:1');
    const kept = await database.read((db) => db.selectFrom('worker').select('name').orderBy('name').execute());
    expect(kept.map(({ name }) => name)).toEqual(['one:1', 'three:1']);
  });

  test('a study is seen waiting, analysed and done, with its times', async () => {
    await list.advance(uid('a'), waiting('routine'), 1_000, FILM);
    expect(await row('a')).toMatchObject({
      state: 'waiting',
      priority: 'routine',
      arrivedAt: 1_000,
      accessionNumber: 'ACC%1',
      patient: { PatientName: 'Müller^Änne' },
    });
    await list.advance(uid('a'), { kind: 'analysing', attempt: 1 }, 2_000);
    expect(await row('a')).toMatchObject({ state: 'analysing', startedAt: 2_000 });
    expect(await list.record(studyRecord('a'))).toBe(true);
    const detail = await list.study(uid('a'));
    expect(detail!.row).toMatchObject({
      state: 'done',
      arrivedAt: 1_000,
      startedAt: 2_000,
      completedAt: Date.parse('2026-03-01T10:15:42.000Z'),
      findings: [{ probability: 0.9, operatingPoint: 0.5, atOrAbove: true }],
      views: ['frontal'],
      films: 1,
      accessionNumber: 'A-a',
    });
    expect(detail!.row.lead!.heatMap!.sopInstanceUid).toBe(deriveUid(['heat', 'a']));
    expect(detail!.record).toEqual(studyRecord('a'));
    expect(detail!.history.map(({ kind }) => kind)).toEqual(['result', 'analysing', 'waiting']);
  });

  test('a priority that triage gave is never lowered by the finding, nor the other way round', async () => {
    await list.advance(uid('ris'), waiting('urgent'));
    await list.record(studyRecord('ris', { priority: 'routine' }));
    expect(await row('ris')).toMatchObject({
      priority: 'urgent',
      priorities: { triage: 'urgent', finding: 'routine', person: null },
    });
    await list.advance(uid('ris'), waiting('routine'));
    expect(await row('ris')).toMatchObject({ priority: 'urgent', priorities: { triage: 'urgent' } });
    await list.advance(uid('found'), waiting('routine'));
    await list.record(studyRecord('found'));
    expect(await row('found')).toMatchObject({
      priority: 'urgent',
      priorities: { triage: 'routine', finding: 'urgent' },
    });
    await list.record(studyRecord('person', { priority: 'routine' }));
    expect(await list.setPriority(uid('person'), 'urgent', { id: 'local:ana', name: 'ana' })).toBe(true);
    await list.record(
      studyRecord('person', { priority: null, key: deriveUid(['later']), completedAt: '2026-03-02T00:00:00.000Z' }),
    );
    expect(await row('person')).toMatchObject({ priority: 'urgent' });
    await list.setPriority(uid('person'), null, { id: 'local:ana', name: 'ana' });
    expect(await row('person')).toMatchObject({ priority: 'routine' });
    expect(await list.setPriority(uid('nobody'), 'urgent', { id: 'local:ana', name: 'ana' })).toBe(false);
  });

  test('steps that a result overtook are in its history, and change no state', async () => {
    const completedAt = Date.parse(studyRecord('a').completedAt);
    await list.record(studyRecord('a'));
    const before = await row('a');
    await list.advance(uid('a'), waiting('urgent'), completedAt - 2_000, FILM);
    await list.advance(uid('a'), { kind: 'analysing', attempt: 1 }, completedAt - 1_000);
    await list.advance(uid('a'), { kind: 'failed', reason: 'ARCHIVE_TIMEOUT' }, completedAt - 500);
    expect(await row('a')).toMatchObject({
      state: before!.state,
      reason: before!.reason,
      arrivedAt: completedAt - 2_000,
      priorities: { triage: 'urgent' },
    });
    expect((await list.study(uid('a')))!.history.map(({ kind }) => kind)).toEqual([
      'result',
      'failed',
      'analysing',
      'waiting',
    ]);
  });

  test('a result told twice changes nothing, an older one neither; a newer one counts', async () => {
    const older = studyRecord('a', { key: deriveUid(['old']), priority: 'routine' });
    const report = { ...REPORT, sopInstanceUid: deriveUid(['old report']) };
    await list.record(studyRecord('a', { films: [filmRecord('a', { supersedes: [report.sopInstanceUid] })] }));
    const before = await list.study(uid('a'));
    expect(await list.record(studyRecord('a'))).toBe(false);
    expect(await list.record(studyRecord('a', { completedAt: '2026-03-01T12:00:00.000Z' }))).toBe(false);
    let told = 0;
    // Whatever the clocks of the workers said.
    for (const completedAt of ['2026-02-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'])
      expect(
        await list.record(
          { ...older, completedAt, films: [filmRecord('a', { outputs: [report] })] },
          () => void told++,
        ),
      ).toBe(false);
    expect(told).toBe(2);
    expect(await list.study(uid('a'))).toEqual(before);
    expect(
      await list.record(
        studyRecord('a', {
          key: deriveUid(['new']),
          priority: 'routine',
          completedAt: '2026-03-02T00:00:00.000Z',
          films: [filmRecord('a', { probability: 0.1 })],
        }),
      ),
    ).toBe(true);
    expect(await row('a')).toMatchObject({ priority: 'routine', findings: [{ probability: 0.1 }] });
  });

  test('a newer, urgent result that carries an older time wins, and its history names what it replaced', async () => {
    const old = { ...REPORT, sopInstanceUid: deriveUid(['r1']) };
    await list.record(
      studyRecord('a', {
        key: deriveUid(['routine']),
        priority: 'routine',
        films: [filmRecord('a', { probability: 0.1, outputs: [old] })],
      }),
    );
    const replacing = studyRecord('a', {
      completedAt: '2026-03-01T09:15:42.000Z',
      films: [
        filmRecord('a', {
          outputs: [{ ...REPORT, sopInstanceUid: deriveUid(['r2']) }],
          supersedes: [old.sopInstanceUid],
        }),
      ],
    });
    expect(await list.record(replacing)).toBe(true);
    const detail = await list.study(uid('a'));
    expect(detail!.row).toMatchObject({ priority: 'urgent', findings: [{ probability: 0.9 }] });
    expect(detail!.record).toEqual(replacing);
    expect(detail!.history.map(({ kind, detail: { supersedes } }) => [kind, supersedes])).toContainEqual([
      'result',
      [old.sopInstanceUid],
    ]);
  });

  test('a result is withdrawn: urgent no more, unless a person said so, and its history says why', async () => {
    const report = { ...REPORT, sopInstanceUid: deriveUid(['told report']) };
    for (const name of ['a', 'b'])
      await list.record(studyRecord(name, { films: [filmRecord(name, { outputs: [report] })] }));
    await list.setPriority(uid('b'), 'urgent', { id: 'local:somebody', name: 'somebody' });
    const withdrawal = (name: string) =>
      studyRecord(name, {
        key: deriveUid(['withdrawal']),
        priority: null,
        films: [
          filmRecord(name, {
            outcome: 'not-analysed',
            reason: 'rejected-for-quality',
            reasonText: 'the film was rejected for quality reasons',
            probability: null,
            findings: [],
            outputs: [{ ...REPORT, sopInstanceUid: deriveUid(['withdrawal report']) }],
            supersedes: [report.sopInstanceUid],
          }),
        ],
      });
    expect((await row('a'))!.priority).toBe('urgent');
    for (const name of ['a', 'b']) expect(await list.record(withdrawal(name))).toBe(true);
    expect(await row('a')).toMatchObject({
      priority: 'routine',
      priorities: { finding: null },
      state: 'not-analysed',
      reason: 'rejected-for-quality',
      findings: [],
    });
    expect(await row('b')).toMatchObject({ priority: 'urgent', priorities: { finding: null, person: 'urgent' } });
    const { history } = (await list.study(uid('a')))!;
    expect(history.map(({ detail: { withdrawn } }) => withdrawn)).toContainEqual(['rejected-for-quality']);
    // Late, or replayed.
    expect(await list.record(studyRecord('a', { films: [filmRecord('a', { outputs: [report] })] }))).toBe(false);
    expect((await row('a'))!.priority).toBe('routine');
  });

  test('a record of fewer films, as a rebuilt one without rejected films, never replaces the whole one', async () => {
    const rejected = filmRecord('b', { outcome: 'rejected', probability: null, outputs: [] });
    await list.record(studyRecord('a', { films: [filmRecord('a'), rejected] }));
    expect(await list.record(studyRecord('a', { key: deriveUid(['part']) }))).toBe(false);
    expect(await row('a')).toMatchObject({ films: 2 });
  });

  test('a study keeps showing its result while it comes by again; only a failure shows, till a result', async () => {
    await list.record(studyRecord('a'));
    for (const step of [
      waiting('routine'),
      { kind: 'analysing', attempt: 1 },
      { kind: 'returned' },
      { kind: 'retry', reason: 'ARCHIVE_TIMEOUT', retryAt: 5 },
      { kind: 'nothing-new' },
    ] as Step[])
      await list.advance(uid('a'), step);
    expect(await row('a')).toMatchObject({ state: 'done', reason: null });
    await list.advance(uid('a'), { kind: 'failed', reason: 'STORE_FAILED' });
    expect(await row('a')).toMatchObject({ state: 'failed', reason: 'STORE_FAILED', findings: [{ probability: 0.9 }] });
    expect(await list.record(studyRecord('a', { completedAt: '2026-03-01T12:00:00.000Z' }))).toBe(true);
    expect(await row('a')).toMatchObject({ state: 'done', reason: null });
  });

  test('why it was not analysed, is tried again, or failed', async () => {
    const film = filmRecord('a', {
      outcome: 'not-analysed',
      reason: 'lateral-view',
      reasonText: 'a lateral view',
      probability: null,
      view: 'lateral',
      outputs: [],
    });
    await list.record(studyRecord('a', { priority: null, films: [film] }));
    expect(await row('a')).toMatchObject({
      state: 'not-analysed',
      reason: 'lateral-view',
      // By the code, not what an event of an earlier version quoted of the film.
      reasonText: 'the film looks like a lateral view; only frontal films are analysed',
      priorities: { finding: null },
      views: ['lateral'],
    });
    await list.advance(uid('b'), waiting('routine'));
    await list.advance(uid('b'), { kind: 'retry', reason: 'ARCHIVE_TIMEOUT', retryAt: 77 });
    expect(await row('b')).toMatchObject({ state: 'waiting', reason: 'ARCHIVE_TIMEOUT', retryAt: 77 });
    await list.advance(uid('b'), { kind: 'failed', reason: 'ARCHIVE_TIMEOUT' });
    expect(await row('b')).toMatchObject({ state: 'failed', retryAt: null });
    await list.advance(uid('b'), waiting('routine'));
    expect(await row('b')).toMatchObject({ state: 'waiting', reason: null });
  });

  test('a study without any film leaves the list, and live updates are told', async () => {
    await list.advance(uid('ct'), waiting('routine'));
    const before = await list.lastChange();
    await list.advance(uid('ct'), { kind: 'nothing-new' });
    expect(await names()).toEqual([]);
    expect((await list.changesSince(before)).rows.map(({ state }) => state)).toEqual(['left-alone']);
    await list.advance(uid('mr'), waiting('routine'), 1_000, { ...FILM, mayHaveFilms: false });
    await list.advance(uid('mr'), { kind: 'analysing', attempt: 1 });
    expect(await names()).toEqual([]);
    await list.advance(uid('mr'), waiting('routine'), 2_000, FILM);
    expect(await names()).toEqual([uid('mr')]);
    await list.advance(uid('unknown'), { kind: 'nothing-new' });
    expect(await list.study(uid('unknown'))).toBeNull();
  });

  test('what the archive lists is asked for once, and fills what is empty', async () => {
    expect(await list.needsListing(uid('a'))).toBe(true);
    await list.advance(uid('a'), waiting('routine'));
    expect(await list.needsListing(uid('a'))).toBe(true);
    await list.advance(uid('a'), { kind: 'analysing', attempt: 1 }, 2_000, FILM);
    expect(await row('a')).toMatchObject({ accessionNumber: 'ACC%1', state: 'analysing' });
    expect(await list.needsListing(uid('a'))).toBe(false);
    expect(await list.hasResult(uid('a'))).toBe(false);
    await list.record(studyRecord('a'));
    await list.advance(uid('a'), waiting('urgent'), 3_000, FILM);
    expect(await row('a')).toMatchObject({ accessionNumber: 'A-a', priority: 'urgent' });
    expect(await list.hasResult(uid('a'))).toBe(true);
  });

  test('a page: urgent first, then by arrival either way, page by page without a gap', async () => {
    for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries())
      await list.advance(uid(name), waiting(name === 'd' || name === 'b' ? 'urgent' : 'routine'), 100 + i);
    expect(await names()).toEqual(['b', 'd', 'a', 'c', 'e'].map(uid));
    expect(await names({ order: 'newest' })).toEqual(['d', 'b', 'e', 'c', 'a'].map(uid));
    for (const order of ['oldest', 'newest'] as const) {
      const seen: Uid[] = [];
      for (let cursor: string | undefined, pages = 0; pages < 5; pages++) {
        const page = await list.page({ ...ALL, order, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.rows.map(({ studyInstanceUid }) => studyInstanceUid));
        if (page.next === null) break;
        cursor = page.next;
      }
      expect(seen).toEqual(await names({ order }));
    }
    await expect(list.page({ ...ALL, cursor: 'xyz' })).rejects.toThrow(RangeError);
  });

  test('filters', async () => {
    await list.advance(uid('a'), waiting('urgent'), 100);
    await list.record(studyRecord('b', { priority: 'routine' }));
    await list.advance(uid('c'), { kind: 'failed', reason: 'UNKNOWN' }, 300);
    expect(await names({ filters: { states: ['waiting', 'failed'] } })).toEqual([uid('a'), uid('c')]);
    expect(await names({ filters: { priority: 'urgent' } })).toEqual([uid('a')]);
    expect(await names({ filters: { view: 'frontal' } })).toEqual([uid('b')]);
    expect(await names({ filters: { arrivedFrom: 101, arrivedBefore: 301 } })).toEqual([uid('c')]);
    await list.verdict(uid('b'), { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
    expect(await names({ filters: { verdict: 'agree' } })).toEqual([uid('b')]);
    expect(await names({ filters: { verdict: 'none' } })).toEqual([uid('a'), uid('c')]);
    expect(await names({ filters: { states: [] } })).toEqual([]);
    expect(await list.counts()).toEqual({
      states: { waiting: 1, analysing: 0, done: 1, 'not-analysed': 0, failed: 1 },
      urgent: 1,
      urgentUnjudged: 1,
    });
  });

  test('a search finds words in any order, without marks, and patients only for those who may see them', async () => {
    await list.advance(uid('a'), waiting('routine'), 1_000, FILM);
    await list.record(studyRecord('b'));
    expect(await names({ search: 'anne muller' })).toEqual([uid('a')]);
    expect(await names({ search: 'MÜLLER' })).toHaveLength(2);
    expect(await names({ search: 'müller', searchPatient: false })).toEqual([]);
    expect(await names({ search: 'acc%' })).toEqual([uid('a')]);
    // Nor what of the study an operator's row does not show: accession number and description.
    for (const search of ['acc%', 'thorax'])
      expect([search, await names({ search, searchPatient: false })]).toEqual([search, []]);
    expect(await names({ search: uid('a'), searchPatient: false })).toEqual([uid('a')]);
    expect(await names({ search: 'a%1', searchPatient: false })).toEqual([]);
    expect(await names({ search: 'a_b' })).toEqual([]);
    expect(await names({ search: uid('b') })).toEqual([uid('b')]);
    expect(await names({ search: "'; drop table study; --" })).toEqual([]);
  });

  test('a study without any film makes no row; one that had a result stays in sight', async () => {
    await list.advance(uid('a'), waiting('routine'), 1_000, FILM);
    await list.record(studyRecord('a', { priority: null, films: [] }));
    await list.record(studyRecord('b', { priority: null, films: [] }));
    await list.record(studyRecord('c'));
    await list.record(studyRecord('c', { priority: null, films: [], key: uid('c-without'), completedAt: LATER }));
    expect(await names()).toEqual([uid('c')]);
    expect(await row('c')).toMatchObject({ state: 'done' });
  });

  test('verdicts: the latest counts, all are kept, a changed result tells', async () => {
    await list.record(studyRecord('a'));
    await list.record(studyRecord('b', { priority: 'routine', films: [filmRecord('b', { probability: 0.1 })] }));
    await list.record(studyRecord('c'));
    clock = 5_000;
    expect(
      await list.verdict(uid('a'), {
        verdict: 'disagree',
        note: 'seen\0 too fast',
        by: { id: 'local:ana', name: 'ana' },
      }),
    ).toBe(true);
    clock = 6_000;
    await list.verdict(uid('a'), { verdict: 'agree', note: '', by: { id: 'local:ben', name: 'ben' } });
    await list.verdict(uid('b'), { verdict: 'disagree', note: 'missed', by: { id: 'local:ana', name: 'ana' } });
    await list.verdict(uid('c'), { verdict: 'unusable', note: '', by: { id: 'local:ana', name: 'ana' } });
    expect(
      await list.verdict(uid('nobody'), { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } }),
    ).toBe(false);
    const detail = await list.study(uid('a'));
    expect(detail!.row.verdict).toEqual({ verdict: 'agree', note: '', by: 'ben', at: 6_000, ofThisResult: true });
    expect(detail!.verdicts.map(({ verdict, by, note }) => [verdict, by.id, by.name, note])).toEqual([
      ['agree', 'local:ben', 'ben', ''],
      ['disagree', 'local:ana', 'ana', 'seen too fast'],
    ]);
    const { interval, ...agreement } = await list.agreement();
    expect(agreement).toEqual({ agree: 1, disagree: 1, unusable: 1, share: 0.5 });
    expect(interval![0]).toBeCloseTo(0.0945, 3);
    await list.record(studyRecord('a', { key: deriveUid(['again']), completedAt: '2026-04-01T00:00:00.000Z' }));
    expect((await row('a'))!.verdict).toMatchObject({ verdict: 'agree', ofThisResult: false });
  });

  test('verdicts as labels are what hilum evaluate reads', async () => {
    await list.record(studyRecord('a'));
    await list.record(studyRecord('b', { priority: 'routine', films: [filmRecord('b', { probability: 0.1 })] }));
    await list.record(studyRecord('c'));
    await list.record(
      studyRecord('d', {
        priority: null,
        films: [filmRecord('d', { outcome: 'not-analysed', reason: 'lateral-view', probability: null })],
      }),
    );
    for (const [name, verdict] of [
      ['a', 'agree'],
      ['b', 'agree'],
      ['c', 'unusable'],
      ['d', 'agree'],
    ] as const)
      await list.verdict(uid(name), { verdict, note: 'a, "b"', by: { id: 'local:ana', name: 'ana' } });
    const lines: string[] = [];
    for await (const line of list.verdictsCsv()) lines.push(line);
    const { films, problems } = readLabels(Buffer.from(lines.join('')));
    expect(problems).toEqual([]);
    expect(films.map(({ file, positive }) => [file, positive])).toEqual([
      [`${uid('a')}/${deriveUid(['film', 'a'])}.dcm`, true],
      [`${uid('b')}/${deriveUid(['film', 'b'])}.dcm`, false],
    ]);
    expect(lines.join('')).not.toContain('ID-a');
  });

  test('an urgent film stands for its study, then one at or above its operating point, then the highest', async () => {
    const film = (name: string, probability: number, operatingPoint: number, priority?: 'routine') =>
      filmRecord(name, { probability, findings: [covid(probability, { operatingPoint, priority })] });
    const leads = async (name: string, priority: 'urgent' | 'routine', films: readonly FilmRecord[]) => {
      await list.record(studyRecord(name, { priority, films }));
      const { lead, findings } = (await row(name))!;
      await list.verdict(uid(name), { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
      const lines: string[] = [];
      for await (const line of list.verdictsCsv()) lines.push(line);
      expect(lines.at(-1)).toContain(`${uid(name)}/${lead!.sopInstanceUid}.dcm,`);
      return [lead!.sopInstanceUid, findings[0]!.atOrAbove];
    };
    // Two films that were analysed with different operating points.
    const before = film('before', 0.4, 0.27);
    const after = film('after', 0.45, 0.4965);
    const marked = film('marked', 0.6, 0.5, 'routine');
    const low = film('low', 0.3, 0.4965);
    const high = film('high', 0.7, 0.8);
    expect(await leads('a', 'urgent', [after, before])).toEqual([before.sopInstanceUid, true]);
    expect(await leads('b', 'urgent', [high, marked, before])).toEqual([before.sopInstanceUid, true]);
    expect(await leads('c', 'routine', [high, marked])).toEqual([marked.sopInstanceUid, true]);
    expect(await leads('d', 'routine', [low, high])).toEqual([high.sopInstanceUid, false]);
  });

  test('two users of one name are told apart, in verdicts and in the history', async () => {
    await list.record(studyRecord('a'));
    for (const id of ['local:smith', 'oidc:4711'])
      await list.verdict(uid('a'), { verdict: 'agree', note: '', by: { id, name: 'Dr Smith' } });
    await list.setPriority(uid('a'), 'urgent', { id: 'oidc:4711', name: 'Dr Smith' });
    const detail = (await list.study(uid('a')))!;
    expect(detail.verdicts.map(({ by }) => by)).toEqual([
      { id: 'oidc:4711', name: 'Dr Smith' },
      { id: 'local:smith', name: 'Dr Smith' },
    ]);
    expect(detail.history.find(({ kind }) => kind === 'priority')!.detail).toEqual({
      priority: 'urgent',
      by: 'Dr Smith',
      byId: 'oidc:4711',
    });
  });

  test("a patient's digest is made with the site's key: the same here, another elsewhere", async () => {
    const digests = async (of: Worklist) => {
      for (const name of ['a', 'b', 'c']) {
        const patient = { ...studyRecord('a').patient, ...(name === 'c' ? { PatientID: 'ANOTHER' } : {}) };
        await of.record(studyRecord(name, { patient }));
        await of.verdict(uid(name), { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
      }
      const lines: string[] = [];
      for await (const line of of.verdictsCsv()) lines.push(line);
      return lines.slice(1).map((line) => line.split(',')[2]!);
    };
    const here = await digests(list);
    const other = await open();
    const elsewhere = await digests(new Worklist(other));
    await other.close();
    expect([here[0] === here[1], here[0] === here[2], here.length]).toEqual([true, false, 3]);
    for (const digest of here) expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(elsewhere.filter((digest) => here.includes(digest))).toEqual([]);
  });

  test('live updates: each change once, in order', async () => {
    let last = await list.lastChange();
    await list.advance(uid('a'), waiting('routine'));
    await list.advance(uid('b'), waiting('routine'));
    await list.advance(uid('a'), { kind: 'analysing', attempt: 1 });
    const changes = await list.changesSince(last);
    expect(changes.rows.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([uid('b'), uid('a')]);
    last = changes.change;
    expect(await list.changesSince(last)).toEqual({ rows: [], change: last });
    await list.verdict(uid('a'), { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
    expect((await list.changesSince(last)).rows).toEqual([]);
    await list.record(studyRecord('a'));
    await list.verdict(uid('a'), { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
    expect((await list.changesSince(last)).rows.map(({ verdict }) => verdict?.verdict)).toEqual(['agree']);
    expect((await list.changesSince(0, 1)).rows).toHaveLength(1);
  });

  test('writers at the same time lose nothing and share no number', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => list.advance(uid(String(i)), waiting('routine'))));
    const { rows } = await list.changesSince(0);
    expect(new Set(rows.map(({ change }) => change)).size).toBe(20);
    expect(await list.lastChange()).toBe(20);
  });

  test('texts that a database may stumble over', async () => {
    const odd = `\0O'Brien "x" \\ ; -- \u{1F600}\ud800 ${'x'.repeat(5_000)}`;
    await list.record(
      studyRecord('a', {
        patient: { ...studyRecord('a').patient, PatientName: odd },
        films: [filmRecord('a', { remarks: [odd] })],
      }),
    );
    expect((await row('a'))!.patient.PatientName).toMatch(/^O'Brien "x" \\ ; --/);
    expect((await list.study(uid('a')))!.record!.films[0]!.remarks[0]).toBe(odd);
    expect(await names({ search: "o'brien" })).toEqual([uid('a')]);
  });

  describe('patient and study attributes that were corrected in the archive', () => {
    const { patient, study, order } = studyRecord('a');
    const WRONG = { patient, study, order };
    const RIGHT = { ...WRONG, patient: { ...patient, PatientID: 'RIGHT', PatientName: 'Óscar^Right' } };
    const film = (attributes: typeof WRONG) => ({ of: 'film', attributes }) as const;
    const pending = async () => (await list.pendingCorrections()).map(({ event }) => event.correction);
    const kinds = async () => (await list.study(uid('a')))!.history.map(({ kind }) => kind);

    test('row, search and record follow; result, verdict, priorities and history stay', async () => {
      await list.advance(uid('a'), waiting('urgent'), 1_000, FILM);
      await list.record(studyRecord('a'));
      await list.verdict(uid('a'), { verdict: 'disagree', note: 'no', by: { id: 'local:ana', name: 'ana' } });
      await list.setPriority(uid('a'), 'urgent', { id: 'local:ana', name: 'ana' });
      const before = (await list.study(uid('a')))!;
      clock += 1_000;
      expect(await list.correct(uid('a'), film(RIGHT))).toEqual(['PatientID', 'PatientName']);
      const after = (await list.study(uid('a')))!;
      expect(after.row).toEqual({
        ...before.row,
        patient: { ...before.row.patient, PatientID: 'RIGHT', PatientName: 'Óscar^Right' },
        change: after.row.change,
      });
      expect(after.record).toEqual({ ...before.record, ...RIGHT });
      expect(after.verdicts).toEqual(before.verdicts);
      expect(after.history.slice(1)).toEqual(before.history);
      expect(after.history[0]).toEqual({
        at: clock,
        kind: 'attributes-corrected',
        detail: { attributes: ['PatientID', 'PatientName'] },
      });
      expect((await list.changesSince(before.row.change)).rows).toEqual([after.row]);
      expect(await names({ search: 'oscar right' })).toEqual([uid('a')]);
      expect(await names({ search: 'muller' })).toEqual([]);
      expect(JSON.stringify(await pending())).not.toMatch(/RIGHT|scar/);
    });

    test('a verdict is counted with the patient that the study is of', async () => {
      for (const name of ['a', 'b']) {
        await list.record(studyRecord(name));
        await list.verdict(uid(name), { verdict: 'agree', note: '', by: { id: 'local:ana', name: 'ana' } });
      }
      await list.correct(uid('a'), film({ ...WRONG, patient: studyRecord('b').patient }));
      const lines: string[] = [];
      for await (const line of list.verdictsCsv()) lines.push(line);
      expect(new Set(lines.slice(1).map((line) => line.split(',')[2])).size).toBe(1);
    });

    test('another patient or order is to be announced, once; nothing else is', async () => {
      await list.record(studyRecord('a'));
      expect(await list.correct(uid('a'), film(WRONG))).toEqual([]);
      const described = { ...WRONG, study: { ...study, StudyDescription: 'Chest', ReferringPhysicianName: 'X^Y' } };
      expect(await list.correct(uid('a'), film(described))).toEqual(['StudyDescription', 'ReferringPhysicianName']);
      expect(await pending()).toEqual([]);
      expect(await list.correct(uid('a'), film({ ...described, ...RIGHT, study: described.study }))).not.toEqual([]);
      const [first] = await list.pendingCorrections();
      expect(first).toMatchObject({
        study: uid('a'),
        event: { type: 'study-result', priority: 'urgent', correction: { corrects: ['patient'] } },
      });
      expect(Object.keys(first!.event.films[0]!)).not.toContain('remarks');
      clock += 1_000;
      await list.correct(uid('a'), film({ ...RIGHT, order: { ...order, AccessionNumber: 'A-right' } }));
      // What was announced meanwhile was not the whole of it.
      await list.announced(first!);
      expect(await pending()).toEqual([{ corrects: ['order', 'patient'], correctedAt: new Date(clock).toISOString() }]);
      await list.announced((await list.pendingCorrections())[0]!);
      expect(await pending()).toEqual([]);
    });

    test('seen by two processes at once it is written, and to be announced, once', async () => {
      await list.record(studyRecord('a'));
      const seen = await Promise.all(Array.from({ length: 5 }, () => list.correct(uid('a'), film(RIGHT))));
      expect(seen.filter((keywords) => keywords.length > 0)).toHaveLength(1);
      expect((await kinds()).filter((kind) => kind === 'attributes-corrected')).toHaveLength(1);
      expect(await pending()).toHaveLength(1);
    });

    test('padding, and components of a name that are left out at its end, are no correction', async () => {
      await list.record(studyRecord('a'));
      const padded = { ...patient, PatientID: `${patient.PatientID} `, PatientName: `${patient.PatientName}^^^ ` };
      expect(await list.correct(uid('a'), film({ ...WRONG, patient: padded }))).toEqual([]);
      const { IssuerOfPatientID, ...ofVersion01 } = patient;
      expect(IssuerOfPatientID).toBe('');
      await list.record(studyRecord('b', { patient: ofVersion01 as typeof patient }));
      expect(await list.correct(uid('b'), film({ ...WRONG, patient, order: studyRecord('b').order }))).toEqual([]);
    });

    test('a result told again, or an older one, brings the attributes that the archive has now', async () => {
      const old = { ...REPORT, sopInstanceUid: deriveUid(['old report']) };
      const newer = studyRecord('a', { films: [filmRecord('a', { supersedes: [old.sopInstanceUid] })] });
      await list.record(newer);
      expect(await list.record({ ...newer, ...RIGHT })).toBe(true);
      expect(await pending()).toMatchObject([{ corrects: ['patient'] }]);
      const older = studyRecord('a', { key: deriveUid(['older']), films: [filmRecord('a', { outputs: [old] })] });
      expect(await list.record(older)).toBe(true);
      expect(await list.study(uid('a'))).toMatchObject({ record: newer, row: { patient: { PatientID: 'ID-a' } } });
    });

    test('a new result with another patient is a correction, too; the first result of a row is none', async () => {
      await list.advance(uid('a'), waiting('routine'), 1_000, FILM);
      await list.record(studyRecord('a', { key: deriveUid(['first']) }));
      expect(await pending()).toEqual([]);
      await list.record(studyRecord('a', RIGHT));
      expect(await pending()).toMatchObject([{ corrects: ['patient'] }]);
      expect([...(await kinds())].sort()).toEqual(['attributes-corrected', 'result', 'result', 'waiting']);
    });

    test('a result that was withdrawn is not announced again; the list follows all the same', async () => {
      const old = { ...REPORT, sopInstanceUid: deriveUid(['old report']) };
      await list.record(studyRecord('a', { key: deriveUid(['told']), films: [filmRecord('a', { outputs: [old] })] }));
      await list.correct(uid('a'), film({ ...WRONG, order: { ...order, AccessionNumber: 'A-2' } }));
      const rejected = filmRecord('a', {
        outcome: 'not-analysed',
        reason: 'incorrect-worklist-entry',
        probability: null,
        outputs: [],
        supersedes: [old.sopInstanceUid],
      });
      await list.record(studyRecord('a', { priority: null, films: [rejected] }));
      expect(await list.correct(uid('a'), film(RIGHT))).toEqual(['PatientID', 'PatientName']);
      expect(await row('a')).toMatchObject({ state: 'not-analysed', patient: { PatientID: 'RIGHT' } });
      expect(await pending()).toEqual([]);
    });

    test('a record that no film was read for corrects nothing', async () => {
      await list.record(studyRecord('a'));
      const nobody = { ...patient, PatientID: '', PatientName: '' };
      const gone = studyRecord('a', { patient: nobody, films: [filmRecord('a', { modality: '' })] });
      expect(await list.record(gone)).toBe(false);
      expect(await row('a')).toMatchObject({ patient: { PatientID: 'ID-a' } });
    });

    test('a row without a result follows what a search lists; one with a result does not', async () => {
      await list.advance(uid('a'), waiting('routine'), 1_000, FILM);
      const summary = { ...SUMMARY, PatientID: 'RIGHT', StudyDescription: 'x'.repeat(300) };
      expect(await list.correct(uid('a'), { of: 'study', summary })).toEqual(['PatientID', 'StudyDescription']);
      expect(await list.correct(uid('a'), { of: 'study', summary })).toEqual([]);
      expect(await row('a')).toMatchObject({ patient: { PatientID: 'RIGHT' }, state: 'waiting' });
      expect(await list.correct(uid('a'), film(RIGHT))).toEqual([]);
      expect(await pending()).toEqual([]);
      await list.record(studyRecord('a'));
      expect(await list.correct(uid('a'), { of: 'study', summary })).toEqual([]);
    });

    test('what is asked for: the films of the result, else the study; nothing that is not shown', async () => {
      expect(await list.known(uid('a'))).toBeNull();
      await list.advance(uid('a'), waiting('routine'), 1_000, FILM);
      expect(await list.known(uid('a'))).toEqual({ summary: SUMMARY, films: [], hasResult: false });
      await list.record(studyRecord('a'));
      const { seriesInstanceUid, sopInstanceUid } = filmRecord('a');
      expect(await list.known(uid('a'))).toMatchObject({
        films: [{ studyInstanceUid: uid('a'), seriesInstanceUid, sopInstanceUid }],
        hasResult: true,
      });
      await list.advance(uid('ct'), waiting('routine'), 1_000, { ...FILM, mayHaveFilms: false });
      expect(await list.known(uid('ct'))).toBeNull();
      expect(await list.correct(uid('unknown'), film(RIGHT))).toEqual([]);
    });

    test('a study that is shown again shows what the archive lists now', async () => {
      await list.advance(uid('a'), waiting('routine'), 1_000, { ...FILM, mayHaveFilms: false });
      const summary = { ...SUMMARY, PatientID: 'RIGHT' };
      await list.advance(uid('a'), waiting('routine'), 2_000, { summary, mayHaveFilms: true });
      expect(await row('a')).toMatchObject({ state: 'waiting', patient: { PatientID: 'RIGHT' } });
    });
  });
}
