import { sql } from 'kysely';
import { HilumError } from '../../../src/base/errors';
import { deriveUid, type Uid } from '../../../src/dicom/uid';
import type { Step } from '../../../src/events/progress-event';
import { readMessage } from '../../../src/hl7/message';
import type { RisMessage, RisStore, TakenAs } from '../../../src/ris/changes';
import { risSchema } from '../../../src/ris/config';
import { messageTypeOf, readRisMessage, sentAt } from '../../../src/ris/read-message';
import type { Database } from '../../../src/worklist/database';
import { pruneBatch } from '../../../src/worklist/retention';
import { risStore } from '../../../src/worklist/ris-store';
import { Worklist } from '../../../src/worklist/worklist';
import { type Fields, order, PID, report, risMessage } from '../records/ris-message';
import { studyRecord } from '../records/study-record';

const uid = (name: string): Uid => deriveUid(['study', name]);
const SETTINGS = { ...risSchema.parse({}), timeZone: 'UTC' };
const SENDER = { application: 'RIS', facility: 'HOSP', address: '10.1.2.3' };
const DAY_MS = 86_400_000;
const NOBODY = { id: 'local:anna', name: 'Anna' };

/** The same tests for each database: `open` gives an empty one for each test. */
export function risTests(open: () => Promise<Database>): void {
  let database: Database;
  let list: Worklist;
  let store: RisStore;
  let clock: number;
  let changed: string[];
  let refuses: boolean;
  let count = 0;

  beforeEach(async () => {
    database = await open();
    clock = Date.parse('2026-03-03T00:00:00.000Z');
    [changed, refuses] = [[], false];
    const now = () => clock;
    list = new Worklist(database, now);
    store = risStore({
      database,
      now,
      onChange: async ({ studyInstanceUid, patientId }) => {
        if (refuses) throw new HilumError('AUDIT_FAILED', 'transient', 'no trail');
        changed.push(`${studyInstanceUid} ${patientId}`);
      },
    });
  });
  afterEach(() => database.close());

  /** What the list makes of a message, as the listener reads it. */
  function message(text: string, digest = `digest ${count++}`): RisMessage {
    const read = readMessage(Buffer.from(text));
    const reading = readRisMessage(messageTypeOf(read)!, read, SETTINGS, clock);
    if ('problem' in reading) throw new Error(reading.problem.text);
    return { digest, sentAt: sentAt(read, SETTINGS, clock), changes: reading.changes };
  }
  const take = (text: string, digest?: string): Promise<TakenAs> => store.take(message(text, digest), SENDER);
  const at = (time: string): Fields => ({ 7: time });

  const study = async (name: string) => (await list.study(uid(name)))!;
  const row = async (name: string) => (await study(name)).row;
  const kinds = async (name: string) => (await study(name)).history.map(({ kind }) => kind).reverse();
  const readOf = async (name: string) => {
    const { read } = await row(name);
    return read === null ? null : { how: read.how, at: new Date(read.at).toISOString() };
  };
  /** A study with a result that is not urgent: `A-name`, patient `ID-name`. */
  const done = (name: string, more: Parameters<typeof studyRecord>[1] = {}) =>
    list.record(studyRecord(name, { priority: 'routine', ...more }));
  const waiting = (priority: 'urgent' | 'routine' | null): Step => ({ kind: 'waiting', priority });
  const summary = (name: string, more: object = {}) => ({
    summary: {
      PatientID: `ID-${name}`,
      PatientName: `Müller^${name}`,
      PatientBirthDate: '19500203',
      PatientSex: 'F',
      AccessionNumber: `A-${name}`,
      StudyDate: '20260301',
      StudyTime: '101500',
      StudyDescription: '',
      ...more,
    },
    mayHaveFilms: true,
  });
  const READ = { how: 'ris', at: '2026-03-02T11:00:00.000Z' };

  describe('final reports', () => {
    test('a study is read at the time of its report, and its history and the audit trail have it', async () => {
      await done('a');
      await done('b');
      expect(await take(report('A-a', 'ID-a'))).toBe('applied');
      expect([await readOf('a'), await readOf('b')]).toEqual([READ, null]);
      expect(await kinds('a')).toEqual(['result', 'read']);
      expect(changed).toEqual([`${uid('a')} ID-a`]);
    });

    test('all studies of an order are read', async () => {
      for (const name of ['a', 'b'])
        await done(name, {
          patient: studyRecord('a').patient,
          order: { ...studyRecord('a').order, AccessionNumber: 'BOTH' },
        });
      await take(report('BOTH', 'ID-a'));
      expect([await readOf('a'), await readOf('b')]).toEqual([READ, READ]);
    });

    test.each([
      ['with a result', () => done('a')],
      ['that waits', () => list.advance(uid('a'), waiting(null), clock, summary('a'))],
      [
        'that the archive told of later',
        async () => {
          await list.advance(uid('a'), waiting(null), clock, null);
          await list.advance(uid('a'), waiting(null), clock, summary('a'));
        },
      ],
      [
        'whose accession number is corrected',
        async () => {
          await done('a', { order: { ...studyRecord('a').order, AccessionNumber: 'WRONG' } });
          await list.correct(uid('a'), { of: 'film', attributes: studyRecord('a') });
        },
      ],
    ])('what comes before its study is kept for it, over restarts: %s', async (_what, come) => {
      expect(await take(report('A-a', 'ID-a'))).toBe('kept');
      expect(await take(order('A-a', 'S', 'ID-a'))).toBe('kept');
      store = risStore({ database, now: () => clock, onChange: () => Promise.resolve() });
      await come();
      expect(await readOf('a')).toEqual(READ);
      expect((await row('a')).priorities.triage).toBe('urgent');
    });

    test('kept for some days and no longer', async () => {
      await take(report('A-a', 'ID-a'));
      await take(report('A-b', 'ID-b'));
      clock += 20 * DAY_MS;
      await take(report('A-b', 'ID-b', {}, at('20260320120000')));
      await done('b');
      clock += 11 * DAY_MS;
      const lease = { name: 'retention', holder: 'test', until: clock };
      const from = { studies: null, verdicts: null, orders: clock - 30 * DAY_MS };
      // The order of a, and the messages of a and b.
      expect(await pruneBatch(database, from, lease, clock)).toEqual({ studies: 0, verdicts: 0, orders: 3 });
      await done('a');
      expect([await readOf('a'), await readOf('b')]).toEqual([null, READ]);
    });

    test('of another patient: kept until patient and order belong together', async () => {
      await done('a');
      expect(await take(report('A-a', 'ID-x'))).toBe('patient-differs');
      expect(await readOf('a')).toBeNull();
      const { patient, ...rest } = studyRecord('a');
      await list.correct(uid('a'), { of: 'film', attributes: { ...rest, patient: { ...patient, PatientID: 'ID-x' } } });
      expect(await readOf('a')).toEqual(READ);
    });

    test('two patients with one accession number are told apart, also while it is kept', async () => {
      const shared = (name: string) => done(name, { order: { ...studyRecord(name).order, AccessionNumber: 'SAME' } });
      await take(report('SAME', 'ID-a'));
      await take(report('SAME', 'ID-z', { 22: '20260302113000' }));
      await shared('a');
      await shared('b');
      expect([await readOf('a'), await readOf('b')]).toEqual([READ, null]);
    });

    test('another issuer is another patient; where the message names no issuer it does not count', async () => {
      const issued = (issuer: string) => ({ ...studyRecord('a').patient, IssuerOfPatientID: issuer });
      await done('a', { patient: issued('CLINIC') });
      expect(await take(report('A-a', 'ID-a'))).toBe('patient-differs');
      await done('b', { patient: { ...issued('HOSP'), PatientID: 'ID-b' } });
      expect(await take(report('A-b', 'ID-b'))).toBe('applied');
    });

    test('NUL, which PostgreSQL does not store, is in no value', async () => {
      await done('a');
      expect(await take(report('A-\\X00\\a\0', 'ID\0-\\X00\\a'))).toBe('applied');
      expect(await take(report('A-\0b', 'ID-\\X00\\b'))).toBe('kept');
      await done('b');
      expect([await readOf('a'), await readOf('b')]).toEqual([READ, READ]);
    });

    test('in a message without a patient the accession number alone counts', async () => {
      await done('a');
      expect(await take(report('A-a'))).toBe('applied');
    });

    test('a film that was taken after the report, under the same order, is not read', async () => {
      const later = { ...studyRecord('b').study, StudyDate: '20260302', StudyTime: '110100' };
      const order = { ...studyRecord('a').order, AccessionNumber: 'A-a' };
      await done('a');
      await take(report('A-a'));
      await done('b', { study: later, order });
      await done('c', { study: { ...later, StudyTime: '' }, order });
      expect([await readOf('a'), await readOf('b'), await readOf('c')]).toEqual([READ, null, READ]);
    });

    test('the same message again changes nothing, also after a person said that it is unread', async () => {
      await done('a');
      await take(report('A-a', 'ID-a'), 'same');
      await list.markUnread(uid('a'), NOBODY);
      expect(await take(report('A-a', 'ID-a'), 'same')).toBe('repeated');
      expect(await readOf('a')).toBeNull();
      expect(await kinds('a')).toEqual(['result', 'read', 'unread']);
    });

    test('sent at the same time by several connections it is taken once', async () => {
      await done('a');
      const one = message(report('A-a', 'ID-a'));
      const taken = await Promise.all(Array.from({ length: 5 }, () => store.take(one, SENDER)));
      expect(taken.sort()).toEqual(['applied', 'repeated', 'repeated', 'repeated', 'repeated']);
      expect(await kinds('a')).toEqual(['result', 'read']);
    });

    test('an older one that comes later says nothing any more', async () => {
      await take(report('A-a', 'ID-a', { 22: '20260302110000' }, at('20260302110000')));
      await take(report('A-a', 'ID-a', { 22: '20260302090000' }, at('20260302090000')));
      await done('a');
      expect(await readOf('a')).toEqual(READ);
    });
  });

  describe('order priorities', () => {
    const urgency = async (name: string) => {
      const { priority, priorities } = await row(name);
      return [priority, priorities.triage];
    };

    test('the RIS raises, and lowers what it said itself', async () => {
      await done('a');
      await take(order('A-a', 'S', 'ID-a', at('20260302100000')));
      expect(await urgency('a')).toEqual(['urgent', 'urgent']);
      await take(order('A-a', 'R', 'ID-a', at('20260302110000')));
      expect(await urgency('a')).toEqual(['routine', 'routine']);
      await take(order('A-a', 'A', 'ID-a', at('20260302113000')));
      await take(order('A-a', 'S', 'ID-a', at('20260302120000'), 'CA'));
      expect(await urgency('a')).toEqual(['routine', null]);
      const said = (await study('a')).history.filter(({ kind }) => kind === 'priority').map(({ detail }) => detail);
      expect(said.map(({ priority, how }) => [priority, how]).reverse()).toEqual([
        ['urgent', 'ris'],
        ['routine', 'ris'],
        ['urgent', 'ris'],
        [null, 'ris'],
      ]);
    });

    test.each<[string, () => Promise<unknown>]>([
      ['event or rule', () => list.advance(uid('a'), waiting('urgent'), clock, summary('a'))],
      ['the finding', () => done('a', { priority: 'urgent' })],
      ['a person', () => done('a').then(() => list.setPriority(uid('a'), 'urgent', NOBODY))],
    ])('what %s said it never lowers', async (_who, say) => {
      await say();
      await take(order('A-a', 'R', 'ID-a', at('20260302110000')));
      await take(order('A-a', 'R', 'ID-a', at('20260302120000'), 'CA'));
      expect((await row('a')).priority).toBe('urgent');
    });

    test('a priority that is said stays when a result comes, a person marks, or a verdict is given', async () => {
      await take(order('A-a', 'S', 'ID-a'));
      await list.advance(uid('a'), waiting('routine'), clock, summary('a'));
      await done('a');
      await list.setPriority(uid('a'), 'urgent', NOBODY);
      await list.setPriority(uid('a'), null, NOBODY);
      await list.verdict(uid('a'), { verdict: 'disagree', note: '', by: NOBODY });
      expect(await urgency('a')).toEqual(['urgent', 'urgent']);
    });

    test('out of order: the one that was sent last holds, whichever comes last', async () => {
      await done('a');
      await take(order('A-a', 'R', 'ID-a', at('20260302120000')));
      await take(order('A-a', 'S', 'ID-a', at('20260302110000')));
      expect(await urgency('a')).toEqual(['routine', 'routine']);
      // With another set of identifiers it is kept apart, and yet of the same order.
      await take(order('A-a', 'S', '', at('20260302110000')));
      expect(await urgency('a')).toEqual(['routine', 'routine']);
    });

    test('sent at the same time: the one that is received last holds, with the study there or not yet', async () => {
      const same = at('20260302110000');
      await done('a');
      for (const name of ['a', 'b']) {
        await take(order(`A-${name}`, 'R', `ID-${name}`, same));
        await take(order(`A-${name}`, 'S', `ID-${name}`, same, 'XO'));
      }
      await done('b');
      expect([await urgency('a'), await urgency('b')]).toEqual([
        ['urgent', 'urgent'],
        ['urgent', 'urgent'],
      ]);
      await take(order('A-a', 'R', 'ID-a', same, 'XO'));
      expect(await urgency('a')).toEqual(['routine', 'routine']);
    });

    test('sent at the same time for several sets of identifiers: the highest holds, in any order', async () => {
      const same = at('20260302110000');
      await done('a');
      await take(order('A-a', 'R', 'ID-a', same));
      await take(order('A-a', 'S', '', same));
      await take(order('A-b', 'S', '', same));
      await take(order('A-b', 'R', 'ID-b', same));
      await done('b');
      expect([await urgency('a'), await urgency('b')]).toEqual([
        ['urgent', 'urgent'],
        ['urgent', 'urgent'],
      ]);
    });

    test.each([
      ['R', 'S'],
      ['S', 'R'],
    ])('two orders of one accession number in a message, %s then %s: the highest holds', async (first, second) => {
      const both = (name: string) =>
        order(`A-${name}`, first, `ID-${name}`) + order(`A-${name}`, second).split('\r').slice(1).join('\r');
      await done('a');
      await take(both('a'));
      await take(both('b'));
      await done('b');
      expect([await urgency('a'), await urgency('b')]).toEqual([
        ['urgent', 'urgent'],
        ['urgent', 'urgent'],
      ]);
    });

    test('said once more it changes no row', async () => {
      await done('a');
      await take(order('A-a', 'S', 'ID-a', at('20260302110000')));
      const { change } = await row('a');
      await take(order('A-a', 'S', 'ID-a', at('20260302110000'), 'XO'));
      await take(order('A-a', 'S', 'ID-a', at('20260302120000')));
      expect((await row('a')).change).toBe(change);
      expect(changed).toHaveLength(1);
    });
  });

  describe('patients', () => {
    const a08 = (id: string, pid: Fields, time = '20260302120000') => risMessage('ADT^A08', at(time), PID(id, pid));
    const a40 = (id: string, prior: string, pid: Fields = {}, time = '20260302120000') =>
      risMessage('ADT^A40', at(time), PID(id, pid), ['MRG', { 1: `${prior}^^^HOSP` }]);
    const archiveSays = (name: string, patient: object) => {
      const record = studyRecord(name, { priority: 'routine' });
      return list.correct(uid(name), {
        of: 'film',
        attributes: { ...record, patient: { ...record.patient, ...patient } },
      });
    };
    const patient = async (name: string) => (await row(name)).patient;

    test('corrected in all rows of the patient, and in the search; result, work and priorities stay', async () => {
      await done('a');
      await done('b', { patient: studyRecord('a').patient });
      await list.advance(uid('c'), waiting('urgent'), clock, summary('c', { PatientID: 'ID-a' }));
      await done('x');
      await take(report('A-a', 'ID-a'));
      changed = [];
      expect(await take(a08('ID-a', { 5: 'Neumann^Nora', 7: '19600102', 8: 'M' }))).toBe('applied');
      for (const name of ['a', 'b', 'c'])
        expect(await patient(name)).toEqual({
          PatientID: 'ID-a',
          PatientName: 'Neumann^Nora',
          PatientBirthDate: '19600102',
          PatientSex: 'M',
        });
      expect(await readOf('a')).toEqual(READ);
      expect((await row('c')).priority).toBe('urgent');
      expect((await patient('x')).PatientName).toBe('Müller^x');
      expect(changed.sort()).toEqual(['a', 'b', 'c'].map((name) => `${uid(name)} ID-a`).sort());
      const found = await list.page({ searchPatient: true, order: 'oldest', limit: 10, search: 'neumann' });
      expect(found.rows).toHaveLength(3);
      expect((await study('a')).history[0]).toMatchObject({
        kind: 'attributes-corrected',
        detail: { attributes: ['PatientName', 'PatientBirthDate', 'PatientSex'], how: 'ris' },
      });
    });

    test('nothing is announced to other systems: they are told what the archive says', async () => {
      await done('a');
      await take(a08('ID-a', { 5: 'Neumann^Nora' }));
      expect(await list.pendingCorrections()).toEqual([]);
      // When the archive has it too, they are.
      await archiveSays('a', { PatientName: 'Neumann^Nora' });
      expect((await list.pendingCorrections()).map(({ event }) => event.correction.corrects)).toEqual([['patient']]);
      expect((await patient('a')).PatientName).toBe('Neumann^Nora');
    });

    test('it holds while the archive says what it said then: no sweep, event or result flips it back', async () => {
      await done('a');
      await take(a08('ID-a', { 5: 'Neumann^Nora' }));
      const { change } = await row('a');
      expect(await archiveSays('a', {})).toEqual([]);
      expect((await list.known(uid('a')))!.summary.PatientName).toBe('Müller^a');
      expect((await row('a')).change).toBe(change);
      await list.record(studyRecord('a', { key: deriveUid(['another']), completedAt: '2026-03-02T00:00:00.000Z' }));
      expect((await patient('a')).PatientName).toBe('Neumann^Nora');
      // The archive is corrected: that holds from now on, in each attribute for itself.
      await take(a08('ID-a', { 8: 'O' }, '20260302130000'));
      await archiveSays('a', { PatientName: 'Third^Tom' });
      expect(await patient('a')).toMatchObject({ PatientName: 'Third^Tom', PatientSex: 'O' });
      await archiveSays('a', {});
      expect(await patient('a')).toMatchObject({ PatientName: 'Müller^a', PatientSex: 'O' });
    });

    test('a correction of a study without a result holds in the same way, also once it has one', async () => {
      await list.advance(uid('a'), waiting(null), clock, summary('a'));
      await take(a08('ID-a', { 5: 'Neumann^Nora' }));
      expect(await list.correct(uid('a'), { of: 'study', summary: summary('a').summary })).toEqual([]);
      await list.advance(uid('a'), waiting(null), clock, summary('a'));
      expect((await list.known(uid('a')))!.summary.PatientName).toBe('Müller^a');
      await done('a');
      expect((await patient('a')).PatientName).toBe('Neumann^Nora');
      expect(await list.pendingCorrections()).toEqual([]);
    });

    test('an older message says nothing any more', async () => {
      await done('a');
      await take(a08('ID-a', { 5: 'New^N' }, '20260302120000'));
      await take(a08('ID-a', { 5: 'Old^O' }, '20260302110000'));
      expect((await patient('a')).PatientName).toBe('New^N');
    });

    test('the value of the archive said again takes the correction back', async () => {
      await done('a');
      await take(a08('ID-a', { 5: 'Neumann^Nora' }));
      await take(a08('ID-a', { 5: 'Müller^a^^^' }, '20260302130000'));
      expect((await patient('a')).PatientName).toBe('Müller^a');
    });

    test('merged: the row has the surviving identifier, and later messages find it by either', async () => {
      await done('a');
      expect(await take(a40('ID-new', 'ID-a', { 5: 'Neumann^Nora' }))).toBe('applied');
      expect(await patient('a')).toMatchObject({ PatientID: 'ID-new', PatientName: 'Neumann^Nora' });
      expect(changed.sort()).toEqual([`${uid('a')} ID-a`, `${uid('a')} ID-new`]);
      await take(report('A-a', 'ID-new'));
      expect(await readOf('a')).toEqual(READ);
      expect(await take(order('A-a', 'S', 'ID-a'))).toBe('applied');
      expect(await archiveSays('a', {})).toEqual([]);
      expect((await patient('a')).PatientID).toBe('ID-new');
      await archiveSays('a', { PatientID: 'ID-third' });
      expect((await patient('a')).PatientID).toBe('ID-third');
    });

    test('merged by a message older than the last: the identifier, not what the later one corrected', async () => {
      await done('a');
      await take(a08('ID-a', { 5: 'New^N' }, '20260302120000'));
      expect(await take(a40('ID-new', 'ID-a', { 5: 'Old^O', 8: 'O' }, '20260302110000'))).toBe('applied');
      expect(await patient('a')).toMatchObject({ PatientID: 'ID-new', PatientName: 'New^N', PatientSex: 'F' });
      // The last message is the newest one sent, not the one that came last.
      await take(a08('ID-new', { 5: 'Old^O' }, '20260302113000'));
      expect((await patient('a')).PatientName).toBe('New^N');
      // Merged further on: an older merge of what it was before changes nothing.
      await take(a40('ID-last', 'ID-new', {}, '20260302130000'));
      await take(a40('ID-other', 'ID-a', {}, '20260302110000'));
      expect((await patient('a')).PatientID).toBe('ID-last');
    });

    test.each(['', 'HOSP'])('merged patients are one, by verdicts and as prior studies (issuer %j)', async (issuer) => {
      const patientOf = (PatientID: string) => ({ ...studyRecord('a').patient, PatientID, IssuerOfPatientID: issuer });
      const keyOf = (name: string) =>
        database.read(async (db) => {
          const rows = await db
            .selectFrom('verdict')
            .select('patient_key')
            .where('study_uid', '=', uid(name))
            .execute();
          return rows.map(({ patient_key }) => patient_key);
        });
      await done('a', { patient: patientOf('ID-a') });
      await done('b', { patient: patientOf('ID-new') });
      for (const name of ['a', 'b']) await list.verdict(uid(name), { verdict: 'agree', note: '', by: NOBODY });
      expect(await keyOf('a')).not.toEqual(await keyOf('b'));
      expect(await list.priors(uid('a'), 5)).toEqual([]);
      await take(a40('ID-new', 'ID-a'));
      await list.verdict(uid('a'), { verdict: 'disagree', note: '', by: NOBODY });
      expect(new Set([...(await keyOf('a')), ...(await keyOf('b'))]).size).toBe(1);
      expect((await list.priors(uid('a'), 5)).map(({ row: { studyInstanceUid } }) => studyInstanceUid)).toEqual([
        uid('b'),
      ]);
      expect((await list.priors(uid('b'), 5)).map(({ row: { studyInstanceUid } }) => studyInstanceUid)).toEqual([
        uid('a'),
      ]);
    });

    test('of another issuer, or unknown, it corrects nothing', async () => {
      await done('a', { patient: { ...studyRecord('a').patient, IssuerOfPatientID: 'CLINIC' } });
      expect(await take(a08('ID-a', { 5: 'Wrong^W' }))).toBe('ignored');
      expect(await take(a08('NOBODY', { 5: 'Wrong^W' }))).toBe('ignored');
      expect((await patient('a')).PatientName).toBe('Müller^a');
    });
  });

  test('what can not be recorded in the audit trail is not done, and not known when it is sent again', async () => {
    await done('a');
    refuses = true;
    await expect(take(report('A-a', 'ID-a'), 'again')).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
    expect(await readOf('a')).toBeNull();
    refuses = false;
    expect(await take(report('A-a', 'ID-a'), 'again')).toBe('applied');
    expect(await readOf('a')).toEqual(READ);
  });

  test('live updates tell of what the RIS changed', async () => {
    await done('a');
    const before = await list.lastChange();
    await take(order('A-a', 'S', 'ID-a'));
    expect((await list.changesSince(before)).rows.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([uid('a')]);
  });

  test('studies and patients are found by an index, however many there are', async () => {
    const isFile = database.kind === 'sqlite';
    await done('a');
    for (const column of ['accession_number', 'patient_id']) {
      const plan = await database.write(async (db) => {
        if (!isFile) await sql`set local enable_seqscan = off`.execute(db);
        const query = `select study_uid from study where ${column} = 'x' and ${column} <> '' and state <> 'left-alone'`;
        return sql.raw(`${isFile ? 'explain query plan' : 'explain'} ${query}`).execute(db);
      });
      expect(JSON.stringify(plan.rows)).toContain(column === 'patient_id' ? 'study_patient' : 'study_accession_number');
    }
  });
}
