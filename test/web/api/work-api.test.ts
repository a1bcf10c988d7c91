import { deriveUid, parseUid } from '../../../src/dicom/uid';
import type {
  ClaimAnswer,
  Overview,
  StudyCount,
  StudyDetail,
  StudyPage,
  WorkCounts,
} from '../../../src/web/api/api-types';
import type { Role } from '../../../src/web/access/user';
import { filmRecord, studyRecord } from '../../support/records/study-record';
import { fill, ListSite } from '../../support/web/list-site';

let site: ListSite;
const study = (i: number) => parseUid(`1.2.826.0.1.${i}`);
const path = (i: number, what: string) => `/api/v1/studies/${study(i)}/${what}`;
const HAND = studyRecord('hand', {
  priority: null,
  films: [filmRecord('hand', { outcome: 'rejected', reason: 'body-part', probability: null, outputs: [] })],
});

beforeEach(async () => {
  site = await ListSite.open();
  await fill(site.worklist, 6);
  await site.worklist.record(HAND);
  site.audit.length = 0;
});
afterEach(() => site.close());

const json = async <T>(answer: Response | Promise<Response>): Promise<T> => (await (await answer).json()) as T;
const get = async <T>(what: string, roles?: readonly Role[]) => json<T>(site.get(`/api/v1${what}`, roles));
const rowsOf = async (query: string, roles?: readonly Role[]) => (await get<StudyPage>(`/studies${query}`, roles)).rows;
const claim = (i: number, user: string, body: object = {}) =>
  json<ClaimAnswer>(site.post(path(i, 'claim'), body, ['radiologist'], user));

test('a claim is answered with who has it; it is taken over, given back, and in the audit trail', async () => {
  const first = await claim(1, 'ana');
  expect(first).toMatchObject({
    claimed: true,
    claim: { by: 'Dr Test', mine: true },
    read: null,
    renewAfterSeconds: 300,
  });
  expect(await claim(1, 'ben')).toMatchObject({ claimed: false, claim: { by: 'Dr Test', mine: false } });
  expect(await claim(1, 'ben', { takeOver: true })).toMatchObject({ claimed: true, claim: { mine: true } });
  expect(site.audit.map(({ kind }) => kind)).toEqual(['study-updated', 'study-updated', 'study-updated']);
  expect(await json(site.delete(path(1, 'claim'), ['radiologist'], 'ana'))).toEqual({ released: false });
  expect(await json(site.delete(path(1, 'claim'), ['radiologist'], 'ben'))).toEqual({ released: true });
  expect((await rowsOf('?search=ID-1'))[0]!.claim).toBeNull();
});

test('of two who ask at the same moment one has it', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => claim(2, `user${i}`)));
  expect(answers.filter(({ claimed }) => claimed)).toHaveLength(1);
});

test('what can not be written to the audit trail changes nothing', async () => {
  site.auditsAreLost = true;
  expect((await site.post(path(1, 'claim'), {})).status).toBe(503);
  expect((await site.post(path(1, 'read'), { read: true })).status).toBe(503);
  site.auditsAreLost = false;
  expect((await rowsOf('?search=ID-1'))[0]).toMatchObject({ claim: null, read: null });
});

test('unread, mine, read today, all: rows and counts; all is what is answered unasked', async () => {
  await claim(1, 'test');
  await claim(2, 'ben');
  expect(await json(site.post(path(3, 'read'), { read: true }))).toEqual({ read: true });
  await site.worklist.markRead(study(4), { how: 'ris', at: Date.now() - 3 * 86_400_000 });
  const uids = async (query: string) => new Set((await rowsOf(query)).map(({ studyInstanceUid }) => studyInstanceUid));
  expect(await uids('?work=unread')).toEqual(new Set([1, 2, 5, 6].map(study)));
  expect(await uids('?work=mine')).toEqual(new Set([study(1)]));
  expect(await uids('?work=read-today')).toEqual(new Set([study(3)]));
  expect((await uids('')).size).toBe(6);
  expect(await uids('?hidden=include')).toEqual(new Set([...[1, 2, 3, 4, 5, 6].map(study), HAND.studyInstanceUid]));
  for (const [query, studies] of [
    ['?work=unread', 4],
    ['?work=mine', 1],
    ['?work=read-today', 1],
    ['?work=all', 6],
    ['?hidden=include', 7],
  ] as const)
    expect((await get<StudyCount>(`/studies/count${query}`)).studies).toBe(studies);
  expect(await get<WorkCounts>('/work')).toEqual({ unread: 4, unreadUrgent: 1, mine: 1, readToday: 1, hidden: 1 });
  for (const query of ['?work=other', '?hidden=yes'])
    expect((await site.get(`/api/v1/studies${query}`)).status).toBe(400);
  expect(await json(site.post(path(3, 'read'), { read: false }))).toEqual({ read: false });
  expect((await uids('?work=unread')).has(study(3))).toBe(true);
});

test('a hidden one is shown with its reason and patient', async () => {
  const found = (await rowsOf('?hidden=include')).find(({ hidden }) => hidden)!;
  expect(found).toMatchObject({
    state: 'not-analysed',
    reason: { code: 'body-part', text: 'the header names another part of the body than that of a chest film' },
    patient: { id: 'ID-hand' },
  });
});

test('an operator is shown counts and no names, and may neither claim nor mark', async () => {
  await claim(1, 'ana');
  await site.post(path(3, 'read'), { read: true });
  for (const row of await rowsOf('', ['operator'])) expect([row.claim, row.read?.by ?? null]).toEqual([null, null]);
  for (const i of [1, 3])
    expect(JSON.stringify(await get<StudyDetail>(`/studies/${study(i)}`, ['operator']))).not.toContain('Dr Test');
  for (const [what, body] of [
    ['claim', {}],
    ['read', { read: true }],
  ] as const)
    expect((await site.post(path(1, what), body, ['operator'])).status).toBe(403);
  expect(await get<WorkCounts>('/work', ['operator'])).toMatchObject({ unread: 5, readToday: 1 });
});

test('the history names who claimed, took over, read and marked as unread', async () => {
  await claim(1, 'ana');
  await claim(1, 'ben', { takeOver: true });
  await site.delete(path(1, 'claim'), ['radiologist'], 'ben');
  await site.post(path(1, 'read'), { read: true }, ['radiologist'], 'ana');
  await site.post(path(1, 'read'), { read: false }, ['radiologist'], 'ben');
  await site.worklist.markRead(study(1), { how: 'ris', at: Date.now() + 1_000 });
  const { history } = await get<StudyDetail>(`/studies/${study(1)}`);
  expect(history.slice(1).map(({ text }) => text)).toEqual([
    'opened by Dr Test (local:ana)',
    'taken over from Dr Test (local:ana) by Dr Test (local:ben)',
    'given back unread by Dr Test (local:ben)',
    'marked as read by Dr Test (local:ana)',
    'marked as unread by Dr Test (local:ben)',
    'read: the RIS has a final report',
  ]);
});

test('a disagreement takes the finding out of what makes a study urgent, and the history says by whom', async () => {
  const record = studyRecord('found');
  await site.worklist.record(record);
  const detail = () => get<StudyDetail>(`/studies/${record.studyInstanceUid}`);
  expect((await detail()).row).toMatchObject({ priority: 'urgent', urgentBy: ['finding'] });
  await site.post(`/api/v1/studies/${record.studyInstanceUid}/verdict`, { verdict: 'disagree' });
  const { row, history } = await detail();
  expect(row).toMatchObject({ priority: 'routine', urgentBy: [], read: { how: 'verdict', by: 'Dr Test' } });
  expect(history.at(-1)!.text).toBe('verdict: disagree by Dr Test (local:test); the finding makes it urgent no more');
});

test('a verdict and a mark as read are about the result that the page shows, not one that came meanwhile', async () => {
  const record = studyRecord('found');
  const uid = record.studyInstanceUid;
  const { completedAt } = record;
  await site.worklist.record(record);
  const later = new Date(Date.parse(completedAt) + 60_000).toISOString();
  await site.worklist.record(studyRecord('found', { key: deriveUid(['found', 'again']), completedAt: later }));
  const send = (what: 'verdict' | 'read', body: object) => site.post(`/api/v1/studies/${uid}/${what}`, body);
  for (const [what, body] of [
    ['verdict', { verdict: 'disagree', note: 'nothing there', completedAt }],
    ['read', { read: true, completedAt }],
    ['read', { read: true, completedAt: null }],
  ] as const) {
    const answer = await send(what, body);
    expect([what, answer.status]).toEqual([what, 409]);
    expect(await answer.text()).toContain('the study has another result by now');
  }
  const { row, verdicts } = await get<StudyDetail>(`/studies/${uid}`);
  expect(row).toMatchObject({ priority: 'urgent', read: null, verdict: null });
  expect(verdicts).toEqual([]);
  expect((await send('read', { read: true, completedAt: later })).status).toBe(200);
  expect((await send('verdict', { verdict: 'agree', completedAt: later })).status).toBe(201);
});

test('operators see how many studies are left out, by reason', async () => {
  await site.worklist.record(studyRecord('mr', { priority: null, films: [], skipped: ['MR'] }));
  const { leftOut, states } = await get<Overview>('/operators/overview', ['operator']);
  expect(leftOut).toEqual([
    { reason: 'body-part', studies: 1 },
    { reason: 'modality', studies: 1 },
  ]);
  expect(states['not-analysed']).toBe(0);
});

test('every page hears of claims and readings at once, an operator without names', async () => {
  const before = (await get<StudyPage>('/studies')).change;
  const stream = async (roles: readonly Role[]) =>
    (await site.get(`/api/v1/live?since=${before}`, roles)).body!.pipeThrough(new TextDecoderStream()).getReader();
  const [readers, operators] = [await stream(['radiologist']), await stream(['operator'])];
  await claim(1, 'ana');
  const heard = async (reader: Awaited<ReturnType<typeof stream>>, wanted: string) => {
    let text = '';
    while (!text.includes(wanted)) text += (await reader.read()).value ?? '';
    return text;
  };
  expect(await heard(readers, '"until"')).toContain('"by":"Dr Test"');
  await site.post(path(1, 'read'), { read: true }, ['radiologist'], 'ana');
  expect(await heard(readers, '"how":"person"')).toContain('"by":"Dr Test"');
  expect(await heard(operators, '"how":"person"')).not.toContain('Dr Test');
  await Promise.all([readers.cancel(), operators.cancel()]);
});
