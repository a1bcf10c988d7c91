import { parseUid } from '../../../src/dicom/uid';
import type { Role } from '../../../src/web/access/user';
import type { OpenElsewhere, SavedViews, Session, StudyPage } from '../../../src/web/api/api-types';
import { openAccounts } from '../../../src/web/access/account-store';
import { fill, ListSite } from '../../support/web/list-site';

let site: ListSite;
const STUDY = parseUid('1.2.826.0.1.1');
const OPEN = `/api/v1/studies/${STUDY}/open`;

beforeAll(async () => {
  site = await ListSite.open();
  await fill(site.worklist, 6);
});
afterAll(() => site.close());

const json = async <T>(answer: Response | Promise<Response>): Promise<T> => (await (await answer).json()) as T;
const VIEW = { work: 'all', order: 'newest', search: 'ward 3', columns: ['patient', 'arrived'] };
const save = (body: object, user = 'ana', roles: readonly Role[] = ['radiologist']) =>
  site.post('/api/v1/views', body, roles, user);
const viewsOf = async (user: string) =>
  (await json<SavedViews>(site.get('/api/v1/views', ['radiologist'], { 'x-test-user': user }))).views;

test('the session has the time zone of the site, and its clock', async () => {
  const { timeZone, now } = await json<Session>(site.get('/api/v1/session'));
  expect(timeZone).toBe('Europe/Berlin');
  expect(Math.abs(Date.parse(now) - Date.now())).toBeLessThan(10_000);
});

test('a view is saved, answered to who saved it alone, and removed', async () => {
  const saved = await save({ name: '  Ward 3 ', view: VIEW });
  expect(saved.status).toBe(201);
  const [view] = (await json<SavedViews>(saved)).views;
  expect(view).toMatchObject({ name: 'Ward 3', view: VIEW });
  expect(await viewsOf('ana')).toEqual([view]);
  expect(await viewsOf('ben')).toEqual([]);
  expect((await site.delete(`/api/v1/views/${view!.id}`, ['radiologist'], 'ben')).status).toBe(404);
  expect(await json(site.delete(`/api/v1/views/${view!.id}`, ['radiologist'], 'ana'))).toEqual({ views: [] });
});

test.each([
  ['no name', { name: ' ', view: VIEW }],
  ['a long name', { name: 'x'.repeat(41), view: VIEW }],
  ['another key', { name: 'a', view: { ...VIEW, patient: 'x' } }],
  ['a column that there is not', { name: 'a', view: { ...VIEW, columns: ['secret'] } }],
  ['a long search', { name: 'a', view: { ...VIEW, search: 'x'.repeat(65) } }],
  ['no view', { name: 'a' }],
])('what is no view is refused and not kept: %s', async (_, body) => {
  const answer = await save(body, 'cleo');
  expect(answer.status).toBe(400);
  expect(await answer.text()).not.toContain('xxxx');
  expect(await viewsOf('cleo')).toEqual([]);
});

test('the view that is one too many is refused, and says why', async () => {
  for (let i = 0; i < 30; i++) expect((await save({ name: `${i}`, view: VIEW }, 'dora')).status).toBe(201);
  const refused = await save({ name: 'more', view: VIEW }, 'dora');
  expect(refused.status).toBe(409);
  expect(await json(refused)).toMatchObject({ error: { message: expect.stringContaining('remove one first') } });
});

test('a view that this version can not read is not answered, and hinders no other', async () => {
  await site.worklist.saveView('local:eve', { name: 'newer', content: '{"work":"all","order":"by-moon"}' });
  await save({ name: 'own', view: VIEW }, 'eve');
  expect((await viewsOf('eve')).map(({ name }) => name)).toEqual(['own']);
});

test('a study that is open on another page says so to both, and to nobody who may not see patients', async () => {
  const opens = (page: string, user: string) =>
    json<OpenElsewhere>(site.post(OPEN, { page }, ['radiologist'], user)).then(({ others }) => others);
  expect(await opens('page-of-ana', 'ana')).toEqual([]);
  expect(await opens('page-of-ben', 'ben')).toEqual([{ by: 'Dr Test', mine: false }]);
  expect(await opens('second-of-ana', 'ana')).toEqual([
    { by: 'Dr Test', mine: true },
    { by: 'Dr Test', mine: false },
  ]);
  await site.delete(`${OPEN}/page-of-ben`, ['radiologist'], 'ben');
  await site.delete(`${OPEN}/page-of-ana`, ['radiologist'], 'ben');
  expect(await opens('second-of-ana', 'ana')).toEqual([{ by: 'Dr Test', mine: true }]);
  expect((await site.post(OPEN, { page: 'page-of-operator' }, ['operator'])).status).toBe(403);
  for (const page of ['short', 'x'.repeat(65), 'with space', '../../..']) {
    expect((await site.post(OPEN, { page })).status).toBe(400);
  }
  expect((await site.post('/api/v1/studies/1.2.3/open', { page: 'page-of-ana' })).status).toBe(404);
});

test('a row says since when it is urgent', async () => {
  const { rows } = await json<StudyPage>(site.get('/api/v1/studies'));
  const known = rows.map(({ priority, urgentSince, arrivedAt }) => [priority, urgentSince === arrivedAt]);
  expect(known).toEqual([['urgent', true], ...Array.from({ length: 5 }, () => ['routine', false])]);
});

test('the icon has the number of urgent studies, as a picture of our own', async () => {
  for (const [name, text] of [
    ['icon-3.svg', '>3</text>'],
    ['icon-10.svg', '>9+</text>'],
  ] as const) {
    const answer = await site.get(`/ui/${name}`);
    expect(answer.headers.get('content-type')).toContain('image/svg+xml');
    expect(await answer.text()).toContain(text);
  }
  for (const name of ['icon-0.svg', 'icon-11.svg', 'icon-x.svg'])
    expect((await site.get(`/ui/${name}`)).status).toBe(404);
  expect((await site.get('/')).headers.get('content-security-policy')).toContain("img-src 'self';");
});

test('with an account go its views: they are not of another person who gets its name', async () => {
  const accounts = openAccounts(site.database);
  const account = { displayName: 'F', passwordHash: 'x', roles: ['radiologist'], createdAt: 1, passwordChangedAt: 1 };
  for (const username of ['fay', 'gus']) {
    await accounts.add({ username, ...account }, () => Promise.resolve());
    await save({ name: 'own', view: VIEW }, username);
  }
  expect(await accounts.remove('fay', () => Promise.resolve())).toBe('done');
  expect([(await viewsOf('fay')).length, (await viewsOf('gus')).length]).toEqual([0, 1]);
});
