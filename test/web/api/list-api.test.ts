import { createCanvas, loadImage } from '@napi-rs/canvas';
import { parseUid } from '../../../src/dicom/uid';
import { ROLES } from '../../../src/web/access/user';
import type {
  FilmReport,
  Installation,
  Overview,
  StudyDetail,
  StudyCount,
  StudyPage,
  Turnaround,
} from '../../../src/web/api/api-types';
import { LiveEvent } from '../../../src/web/api/contract';
import { recordingLog } from '../../support/records/logs';
import { fill, ListSite, studyOf } from '../../support/web/list-site';
import { routesOf } from '../../support/web/routes';

let site: ListSite;

beforeAll(async () => {
  site = await ListSite.open();
  await site.analysed({ seed: 1 }, { probability: 0.9 }, { segmentation: true });
  await site.analysed(
    { seed: 2 },
    { probability: 0.1 },
    { patient: { PatientID: 'P-2', PatientName: 'Müller^Jörg', AccessionNumber: 'A-2' } },
  );
  await site.analysed(
    { seed: 3 },
    { lateral: 0.99 },
    { patient: { PatientID: 'P-3', PatientName: 'Third^One', AccessionNumber: 'A-3' } },
  );
  await fill(site.worklist, 12);
}, 60_000);

afterAll(() => site.close());

const json = async <T>(answer: Response): Promise<T> => (await answer.json()) as T;

async function rows(query = '', roles: Parameters<ListSite['get']>[1] = ['radiologist']): Promise<StudyPage['rows']> {
  return (await json<StudyPage>(await site.get(`/api/v1/studies${query}`, roles))).rows;
}

/** Size of a picture, and how much colour is in it. */
async function look(answer: Response): Promise<{ width: number; height: number; coloured: number; grey: number[] }> {
  const image = await loadImage(Buffer.from(await answer.arrayBuffer()));
  const pen = createCanvas(image.width, image.height).getContext('2d');
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let coloured = 0;
  const grey = [];
  for (let i = 0; i < data.length; i += 4) {
    if (Math.max(data[i]!, data[i + 1]!, data[i + 2]!) - Math.min(data[i]!, data[i + 1]!, data[i + 2]!) > 40)
      coloured++;
    grey.push(data[i]!);
  }
  return { width: image.width, height: image.height, coloured: coloured / grey.length, grey };
}

test('the list: urgent ones first, each with its state, its reason and its result in words', async () => {
  const found = await rows('?limit=100');
  expect(found).toHaveLength(15);
  const urgent = found.filter(({ priority }) => priority === 'urgent');
  expect(found.slice(0, urgent.length)).toEqual(urgent);
  const [first, second, third] = [1, 2, 3].map((seed) =>
    found.find(({ studyInstanceUid }) => studyInstanceUid === studyOf(seed))!,
  );
  expect(first).toMatchObject({
    state: 'done',
    priority: 'urgent',
    urgentBy: ['finding'],
    result: { label: 'COVID-19', probabilityText: '90.0', thresholdText: '50.0', reached: true },
    patient: { name: 'Dreamer, Dora', birthDate: '1950-02-03' },
  });
  expect(second).toMatchObject({ state: 'done', priority: 'routine', urgentBy: [], result: { reached: false } });
  expect(third).toMatchObject({
    state: 'not-analysed',
    result: null,
    reason: { code: 'lateral-view', text: 'the film looks like a lateral view; only frontal films are analysed' },
  });
});

test('filters, search and pages', async () => {
  expect(await rows('?state=not-analysed')).toHaveLength(1);
  expect((await rows('?priority=urgent')).map(({ priority }) => priority)).toEqual(['urgent', 'urgent', 'urgent']);
  expect((await rows('?search=muller')).map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([studyOf(2)]);
  expect((await rows('?search=ACC7')).map(({ accessionNumber }) => accessionNumber)).toEqual(['ACC7']);
  const [seen, pages] = [new Set<string>(), [] as number[]];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: StudyPage = await json(
      await site.get(`/api/v1/studies?limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`),
    );
    page.rows.forEach(({ studyInstanceUid }) => seen.add(studyInstanceUid));
    pages.push(page.rows.length);
    cursor = page.next;
  }
  expect([seen.size, pages]).toEqual([15, [4, 4, 4, 3]]);
});

test('a count is of all pages; a search of an operator counts no patients', async () => {
  const count = async (query = '', roles: Parameters<ListSite['get']>[1] = ['radiologist']) =>
    json<StudyCount>(await site.get(`/api/v1/studies/count${query}`, roles));
  expect(await count()).toEqual({ studies: 15, urgent: 3 });
  expect(await count('?state=not-analysed')).toEqual({ studies: 1, urgent: 0 });
  expect(await count('?priority=urgent&hours=1')).toEqual({ studies: 3, urgent: 3 });
  expect(await count('?search=muller')).toEqual({ studies: 1, urgent: 0 });
  expect(await count('?search=muller', ['operator'])).toEqual({ studies: 0, urgent: 0 });
  expect((await site.get('/api/v1/studies/count?order=oldest')).status).toBe(400);
  expect((await site.get('/api/v1/studies/count', ['metrics'])).status).toBe(403);
});

test.each(['?limit=0', '?limit=100000', '?state=odd', '?cursor=nonsense', '?what=ever', `?search=${'x'.repeat(65)}`])(
  'a request that is not understood, %s, is told so',
  async (query) => {
    const answer = await site.get(`/api/v1/studies${query}`);
    expect(answer.status).toBe(400);
    expect((await json<{ error: { code: string } }>(answer)).error.code).toBe('REQUEST_INVALID');
  },
);

const cursorOf = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

test.each([
  ['more than a number holds', cursorOf('oldest', 0, 1e300, '1.2')],
  ['an urgency that no row has', cursorOf('oldest', 2 ** 40, 1, '1.2')],
  ['a NUL', cursorOf('oldest', 0, 1, '1.2\0')],
  ['what is no UID', cursorOf('oldest', 0, 1, "' or 1=1")],
  ['another order', cursorOf('newest', 0, 1, '1.2')],
  ['an object', Buffer.from('{"a":1}').toString('base64url')],
])('a forged cursor, %s, is told so and asks the database nothing', async (_name, cursor) => {
  const answer = await site.get(`/api/v1/studies?cursor=${cursor}`);
  expect(answer.status).toBe(400);
});

test.each<[string, string, Record<string, string>, number]>([
  ['a body that is no JSON', '{', {}, 400],
  ['a charset that nobody knows', '{}', { 'content-type': 'application/json; charset=odd' }, 415],
  ['an encoding that nobody knows', '{}', { 'content-encoding': 'odd' }, 415],
  ['a body that is too long', JSON.stringify({ note: 'x'.repeat(20_000) }), {}, 413],
  ['a NUL in a text', '{"verdict":"agree","note":"a\\u0000b"}', {}, 400],
])('%s is told so, as the API tells', async (_name, body, headers, status) => {
  const answer = await fetch(`${site.url}/api/v1/studies/${studyOf(1)}/verdict`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-test-roles': 'radiologist', ...headers },
  });
  expect([answer.status, await answer.json()]).toEqual([
    status,
    { error: { code: 'REQUEST_INVALID', message: 'the request can not be read, or its body is too long' } },
  ]);
});

test('an operator sees what becomes of studies, and nothing about a patient: not by a row, a study, a search or a picture', async () => {
  const found = await rows('?limit=100', ['operator']);
  expect(found).toHaveLength(15);
  const detail = await (await site.get(`/api/v1/studies/${studyOf(1)}`, ['operator'])).text();
  for (const secret of ['Dreamer', 'P-77', 'A-1', 'Chest', '1950', 'picture', 'heat-map', 'viewer.example']) {
    if (secret !== 'picture' && secret !== 'heat-map') expect(JSON.stringify(found)).not.toContain(secret);
    expect(detail.replaceAll('"picture":null', '')).not.toContain(secret);
  }
  expect(await rows('?search=dreamer', ['operator'])).toEqual([]);
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(1)}`))).films[0]!;
  for (const path of [film.picture!, film.heatMap!, film.report!, '/api/v1/verdicts.csv'])
    expect((await site.get(path, ['operator'])).status).toBe(403);
  expect((await site.post(`/api/v1/studies/${studyOf(1)}/verdict`, { verdict: 'agree' }, ['operator'])).status).toBe(
    403,
  );
});

test('search and count find a row only by what it shows to the user, for each value and its beginning', async () => {
  const [full, shown] = [await rows('?limit=100'), await rows('?limit=100', ['operator'])];
  expect(shown.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual(
    full.map(({ studyInstanceUid }) => studyInstanceUid),
  );
  const textsOf = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(textsOf);
  const open = textsOf(shown).join(' ').toLowerCase();
  const closed = full
    .flatMap(({ patient, accessionNumber, studyDescription }) =>
      textsOf({ patient, accessionNumber, studyDescription }),
    )
    .flatMap((text) => [text, text.slice(0, 3)])
    .filter((text) => text.length > 1 && !open.includes(text.toLowerCase()));
  expect(new Set(closed).size).toBeGreaterThan(40);
  for (const text of new Set(closed)) {
    const query = `?search=${encodeURIComponent(text)}`;
    expect([text, await rows(query, ['operator'])]).toEqual([text, []]);
    expect(await json(await site.get(`/api/v1/studies/count${query}`, ['operator']))).toEqual({
      studies: 0,
      urgent: 0,
    });
  }
  const uid = studyOf(2);
  expect((await rows(`?search=${uid}`, ['operator'])).map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([uid]);
  // What a row does not show is in no detail of the study either: not even how the header names the view.
  const detail = await json<StudyDetail>(await site.get(`/api/v1/studies/${uid}`, ['operator']));
  expect(detail.films[0]!.view).toBe('frontal');
  expect((await json<StudyDetail>(await site.get(`/api/v1/studies/${uid}`))).films[0]!.view).toBe('frontal, PA');
});

test('a radiologist sees nothing of the operation, a machine that reads metrics nothing at all, and nobody without a sign-in anything', async () => {
  for (const path of ['/api/v1/operators/overview', '/api/v1/operators/dead-letters'])
    expect((await site.get(path)).status).toBe(403);
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(1)}`))).films[0]!;
  const all = [
    '/api/v1/studies',
    `/api/v1/studies/${studyOf(1)}`,
    film.picture!,
    film.heatMap!,
    film.report!,
    '/api/v1/live',
    '/api/v1/agreement',
    '/api/v1/verdicts.csv',
    '/api/v1/operators/overview',
    '/api/v1/operators/dead-letters',
  ];
  for (const path of all) expect([path, (await site.get(path, ['metrics'])).status]).toEqual([path, 403]);
  for (const path of [
    ...all,
    '/',
    '/study/1.2',
    '/operators',
    '/api/v1/session',
    '/api/v1/models/covid-vgg19-lungs/card',
  ])
    expect([path, (await site.get(path, [])).status]).toEqual([path, 401]);
  for (const action of [
    `studies/${studyOf(1)}/verdict`,
    `studies/${studyOf(1)}/priority`,
    'operators/dead-letters/replay-all',
    'operators/dead-letters/x/drop',
  ])
    expect((await site.post(`/api/v1/${action}`, { verdict: 'agree' }, [])).status).toBe(401);
  expect(ROLES).toContain('metrics');
});

test('a film is drawn in three sizes, kept by no browser, and not sent again to who has it', async () => {
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(1)}`))).films[0]!;
  const before = site.archive.calls.retrieve;
  for (const [size, height, width] of [
    [96, 96, 82],
    [256, 200, 170],
    [1024, 200, 170],
  ]) {
    const answer = await site.get(`${film.picture}?size=${size}`);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(await look(answer)).toMatchObject({ width, height, coloured: 0 });
    const again = await site.get(`${film.picture}?size=${size}`, ['radiologist'], {
      'if-none-match': answer.headers.get('etag')!,
      'cache-control': 'max-age=0',
    });
    expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([304, 0]);
  }
  expect(site.archive.calls.retrieve - before).toBe(1);
  expect((await site.get(`${film.picture}?size=5000`)).status).toBe(400);
});

test('the heat map is the stored one; its film part has the shape of the film and lies over it', async () => {
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(1)}`))).films[0]!;
  const [whole, part, grey] = [
    await look(await site.get(`${film.heatMap}size=1024&part=whole`)),
    await look(await site.get(`${film.heatMap}size=1024&part=film`)),
    await look(await site.get(`${film.picture}?size=1024`)),
  ];
  expect(whole.height).toBeGreaterThan(part.height);
  expect(part.coloured).toBeGreaterThan(0.005);
  expect(part.width / part.height).toBeCloseTo(grey.width / grey.height, 1);
  // Where there is no heat, far from the hot spot, both show the same anatomy: the lower right corner of the film.
  const at = (picture: typeof part, x: number, y: number) =>
    picture.grey[Math.floor(y * picture.height) * picture.width + Math.floor(x * picture.width)]!;
  const places = [
    [0.9, 0.9],
    [0.75, 0.93],
    [0.95, 0.75],
    [0.5, 0.95],
  ] as const;
  for (const [x, y] of places) expect(Math.abs(at(part, x, y) - at(grey, x, y))).toBeLessThan(40);
});

test('the report in words, the hot region and the lungs as polygons of the film', async () => {
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(1)}`))).films[0]!;
  const answers = await Promise.all([film.report!, `${film.heatMap}size=256`].map((path) => site.get(path)));
  expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(Array(2).fill('private, no-store'));
  const report = await json<FilmReport>(answers[0]!);
  expect(report.summary).toBe('Probability of COVID-19 90.0 %, at or above the operating point (50.0 %).');
  expect(report.size).toEqual({ rows: 200, columns: 170 });
  expect(report.hotRegion.length).toBeGreaterThan(3);
  expect(report.lungs).toHaveLength(2);
  for (const [column, row] of [...report.hotRegion, ...report.lungs!.flat()])
    expect(column >= 0 && column <= 170 && row >= 0 && row <= 200).toBe(true);
  // The fake lungs are rectangles from 0.12 to 0.42 and from 0.58 to 0.88 of the width.
  const columns = report.lungs!.flat().map(([column]) => column / 170);
  expect(Math.min(...columns)).toBeCloseTo(0.12, 1);
  expect(Math.max(...columns)).toBeCloseTo(0.88, 1);
  expect(report.statements.map(({ value }) => value)).toContain('Research use only - not for diagnosis. Unverified.');
  const [other] = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(2)}`))).films;
  // Without a Segmentation the heat map's overlay tells, to about the width of its line.
  const { lungs, outlinesAreBurnedIn } = await json<FilmReport>(await site.get(other!.report!));
  expect(outlinesAreBurnedIn).toBe(false);
  expect(lungs).toHaveLength(2);
  for (const [i, [from, to]] of [
    [0.12, 0.42],
    [0.58, 0.88],
  ].entries()) {
    const across = lungs![i]!.map(([column]) => column / 170);
    expect(Math.abs(Math.min(...across) - from!)).toBeLessThan(0.02);
    expect(Math.abs(Math.max(...across) - to!)).toBeLessThan(0.02);
  }
});

test('what is not there is told: a study, a film, an object that the archive has lost', async () => {
  for (const path of [
    '/api/v1/studies/1.2.3',
    '/api/v1/studies/odd',
    `/api/v1/studies/${studyOf(1)}/films/1.2.3/picture`,
    '/api/v1/models/..%2f..%2fetc/card',
    '/ui/..%2findex.html',
    '/ui/nothing.js',
    '/api/v1/nothing',
  ])
    expect([path, (await site.get(path)).status]).toEqual([path, 404]);
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(2)}`))).films[0]!;
  site.archive.before = (call) => {
    if (call === 'retrieve') throw new Error('the archive says: Dreamer^Dora');
  };
  const answer = await site.get(film.picture!);
  site.archive.before = () => {};
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('Dreamer');
  expect((await site.get(film.picture!)).status).toBe(200);
});

test('a verdict is kept with its note and counted; one of a study without a result is refused', async () => {
  expect(
    (await site.post(`/api/v1/studies/${studyOf(1)}/verdict`, { verdict: 'agree', note: ' as I see it ' })).status,
  ).toBe(201);
  expect((await site.post(`/api/v1/studies/${studyOf(2)}/verdict`, { verdict: 'disagree' })).status).toBe(201);
  expect((await site.post('/api/v1/studies/1.2.826.0.1.3/verdict', { verdict: 'agree' })).status).toBe(409);
  expect((await site.post(`/api/v1/studies/${studyOf(2)}/verdict`, { verdict: 'splendid' })).status).toBe(400);
  const detail = await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(1)}`));
  expect(detail.verdicts).toEqual([
    {
      at: expect.any(String),
      by: 'Dr Test',
      account: 'local:test',
      verdict: 'agree',
      note: 'as I see it',
      current: true,
    },
  ]);
  expect(detail.row.verdict).toBe('agree');
  // Nobody else is told, neither by the row nor by what a filter finds.
  expect((await rows('?limit=100', ['operator'])).filter(({ verdict }) => verdict !== null)).toEqual([]);
  for (const path of ['studies?verdict=agree', 'studies/count?verdict=agree', 'studies?verdict=none'])
    expect([path, (await site.get(`/api/v1/${path}`, ['operator'])).status]).toEqual([path, 403]);
  expect(await rows('?verdict=agree')).toHaveLength(1);
  expect(await json(await site.get('/api/v1/agreement'))).toMatchObject({
    agree: 1,
    disagree: 1,
    unusable: 0,
    share: { value: 0.5 },
  });
  expect(await (await site.get('/api/v1/verdicts.csv')).text()).toMatch(/^file,label,patient/);
});

test('a person may raise a priority and take that back; nothing lowers what order or finding says', async () => {
  const routine = '1.2.826.0.1.3';
  const priorityOf = async (uid: string) =>
    (await json<StudyDetail>(await site.get(`/api/v1/studies/${uid}`))).row.priority;
  await site.post(`/api/v1/studies/${routine}/priority`, { priority: 'urgent' });
  expect(await priorityOf(routine)).toBe('urgent');
  await site.post(`/api/v1/studies/${routine}/priority`, { priority: null });
  expect(await priorityOf(routine)).toBe('routine');
  for (const uid of ['1.2.826.0.1.5', studyOf(1)]) {
    await site.post(`/api/v1/studies/${uid}/priority`, { priority: null });
    expect(await priorityOf(uid)).toBe('urgent');
    expect((await site.post(`/api/v1/studies/${uid}/priority`, { priority: 'routine' })).status).toBe(400);
  }
});

test('who saw what is told to the audit trail, with the studies that were shown', async () => {
  site.audit.length = 0;
  await rows('?search=muller');
  await site.get(`/api/v1/studies/${studyOf(2)}`);
  await rows('?limit=5', ['operator']);
  // A count names nobody; what was searched for may.
  await site.get('/api/v1/studies/count?state=done');
  await site.get('/api/v1/studies/count?search=muller');
  expect(site.audit).toEqual([
    {
      kind: 'query',
      query: '?search=muller',
      studies: [{ studyInstanceUid: studyOf(2), patientId: 'P-2', accessionNumber: 'A-2' }],
    },
    { kind: 'study-read', studies: [{ studyInstanceUid: studyOf(2), patientId: 'P-2', accessionNumber: 'A-2' }] },
    { kind: 'query', query: '?limit=5', studies: [] },
    { kind: 'query', query: '?search=muller', studies: [] },
  ]);
});

test('operation: queues, outages, states, throughput; dead letters replayed and dropped, one or all', async () => {
  site.letters = ['a', 'b', 'c'].map((id) => ({
    id,
    queue: 'study',
    studyInstanceUid: '1.2.3',
    reason: 'ARCHIVE_REFUSED',
    diedAt: '2026-01-02T03:04:05Z',
    attempts: [],
    lost: 0,
  }));
  const overview = await json<Record<string, never>>(await site.get('/api/v1/operators/overview', ['operator']));
  expect(overview).toMatchObject({
    queues: { dead: 3 },
    ages: { routine: 90 },
    checks: [
      { name: 'broker', problem: null },
      { name: 'archive', problem: 'it is away' },
    ],
    states: { waiting: 12, done: 2, 'not-analysed': 1 },
  });
  expect(
    (overview['throughput'] as unknown as { studies: number }[]).reduce((sum, { studies }) => sum + studies, 0),
  ).toBe(3);
  expect(await json(await site.post('/api/v1/operators/dead-letters/b/replay', {}, ['operator']))).toEqual({ done: 1 });
  expect(await json(await site.post('/api/v1/operators/dead-letters/a/drop', {}, ['operator']))).toEqual({ done: 1 });
  expect((await site.post('/api/v1/operators/dead-letters/a/drop', {}, ['operator'])).status).toBe(404);
  expect(await json(await site.post('/api/v1/operators/dead-letters/replay-all', {}, ['admin']))).toEqual({ done: 1 });
  expect(site.acted).toEqual(['replay b', 'drop a', 'replay c']);
});

test('operation: outages, workers, deliveries, turnaround and its CSV, what is installed, documentation', async () => {
  const overview = await json<Overview>(await site.get('/api/v1/operators/overview', ['operator']));
  expect(overview.outages).toEqual([
    { check: 'archive', problem: 'it is away', from: '2026-01-02T03:00:00.000Z', to: null },
    expect.objectContaining({ check: 'database', to: '2026-01-01T03:05:00.000Z' }),
  ]);
  expect(overview).toMatchObject({
    workersConnected: 2,
    deliveries: [{ sink: 'fhir', waiting: 3, retry: 1, dead: 0, failingSince: '2026-01-02T03:04:05.000Z' }],
  });
  const turnaround = await json<Turnaround>(await site.get('/api/v1/operators/turnaround?days=30', ['operator']));
  expect(turnaround).toMatchObject({ days: 30, timeZone: 'Europe/Berlin', cut: false });
  for (const group of turnaround.groups)
    for (const { studies, notYet, leftOut } of group.steps) expect(studies + notYet + leftOut).toBe(group.arrived);
  const routine = turnaround.groups.find(({ priority, hour }) => priority === 'routine' && hour === null)!;
  expect(routine.arrived).toBeGreaterThan(0);
  const csv = await site.get('/api/v1/operators/turnaround.csv?days=30', ['operator']);
  expect(csv.headers.get('content-disposition')).toMatch(
    /^attachment; filename="hilum-turnaround-\d{4}-\d\d-\d\d-30-days.csv"$/,
  );
  const [head, ...lines] = (await csv.text()).trimEnd().split('\n');
  expect(head).toBe('priority,hour,step,studies,median_seconds,p90_seconds,not_yet,left_out,arrived');
  expect(lines).toHaveLength(turnaround.groups.length * 5);
  expect(lines[8]).toMatch(/^routine,,total,\d+,/);
  for (const days of ['2', 'x', '7000'])
    expect((await site.get(`/api/v1/operators/turnaround?days=${days}`, ['operator'])).status).toBe(400);
  const installation = await json<Installation>(await site.get('/api/v1/operators/installation', ['operator']));
  expect(installation).toMatchObject({
    version: '0.0.1',
    models: [{ id: 'covid-vgg19-lungs', version: '1.0.0' }],
    drift: [{ measure: 'lungFraction', level: 'changed' }],
  });
  for (const { href } of installation.docs) {
    const page = await site.get(href, ['operator']);
    expect([href, page.status, page.headers.get('content-type')]).toEqual([href, 200, 'text/plain; charset=utf-8']);
  }
  for (const name of ['threat-model', '..%2fpackage', 'operations.md'])
    expect((await site.get(`/api/v1/docs/${name}`, ['operator'])).status).toBe(404);
});

test('every route says who may use it', () => {
  const routes = routesOf(site.app);
  expect(routes.length).toBeGreaterThan(15);
  expect(routes.filter(({ rule }) => rule === null || rule === 'open').map(({ route }) => route)).toEqual([]);
});

test('live updates name patients in the trail before they show them, and show none that it can not take', async () => {
  const log = recordingLog();
  const quick = await ListSite.open({ parts: { log } });
  try {
    await fill(quick.worklist, 1);
    const answer = await quick.get('/api/v1/live?since=0');
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (enough: () => boolean) => {
      while (!enough()) text += (await reader.read()).value ?? '';
    };
    await until(() => text.includes('ACC1'));
    const named = () => quick.audit.flatMap((event) => ('studies' in event ? event.studies : []));
    expect(named()).toEqual([{ studyInstanceUid: '1.2.826.0.1.1', patientId: 'ID-1', accessionNumber: 'ACC1' }]);
    // The same row again is the same patient; another patient is not shown while the trail can't be written.
    await quick.worklist.advance(parseUid('1.2.826.0.1.1'), { kind: 'analysing', attempt: 1 });
    await until(() => text.includes('"analysing"'));
    expect(named()).toHaveLength(1);
    quick.auditsAreLost = true;
    await fill(quick.worklist, 2, 2);
    const isLost = () => log.lines.filter(({ fields }) => fields.event === 'web.live-lost').length;
    for (let i = 0; i < 200 && isLost() === 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect([isLost(), text.includes('ACC2')]).toEqual([1, false]);
    quick.auditsAreLost = false;
    await until(() => text.includes('ACC3'));
    expect(text.split('event: change')).toHaveLength(5);
    expect(named().map(({ patientId }) => patientId)).toEqual(['ID-1', 'ID-2', 'ID-3']);
    await reader.cancel();
    // Who sees no patient has none named.
    const blind = (await quick.get('/api/v1/live?since=0', ['operator'])).body!.getReader();
    await blind.read();
    await blind.read();
    await blind.cancel();
    expect(named()).toHaveLength(3);
  } finally {
    await quick.close();
  }
}, 30_000);

test('where the trail can not be written nothing of a patient is shown, and nothing is judged', async () => {
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(1)}`))).films[0]!;
  const before = await site.worklist.study(studyOf(1));
  site.auditsAreLost = true;
  const refused = [
    await site.get('/api/v1/studies'),
    await site.get(`/api/v1/studies/${studyOf(1)}`),
    await site.get(`${film.picture}?size=96`),
    await site.get(`${film.heatMap}size=96`),
    await site.get(film.report!),
    await site.get('/api/v1/verdicts.csv'),
    await site.get('/api/v1/live'),
    await site.post(`/api/v1/studies/${studyOf(1)}/verdict`, { verdict: 'unusable' }),
    await site.post(`/api/v1/studies/${studyOf(1)}/priority`, { priority: 'urgent' }),
  ];
  site.auditsAreLost = false;
  expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 503));
  expect(await site.worklist.study(studyOf(1))).toEqual(before);
});

test('a picture of any size, the smallest too, names its patient in the trail', async () => {
  const film = (await json<StudyDetail>(await site.get(`/api/v1/studies/${studyOf(2)}`))).films[0]!;
  for (const path of [`${film.picture}?size=96`, `${film.heatMap}size=96`, `${film.picture}?size=1024`]) {
    site.audit.length = 0;
    expect((await site.get(path)).status).toBe(200);
    expect(site.audit).toEqual([
      { kind: 'study-read', studies: [{ studyInstanceUid: studyOf(2), patientId: 'P-2', accessionNumber: 'A-2' }] },
    ]);
  }
});

test('live updates: a change is an event with its number; they resume after it and end with the sign-in', async () => {
  const quick = await ListSite.open({ parts: { liveRecheckMs: 100 } });
  try {
    await fill(quick.worklist, 3);
    const read = async (answer: Response, enough: (text: string) => boolean) => {
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value;
        if (enough(text)) break;
      }
      await reader.cancel();
      return text;
    };
    const all = await read(await quick.get('/api/v1/live?since=0'), (text) => text.split('event: change').length === 4);
    const numbers = [...all.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number)).slice(1);
    expect(numbers).toHaveLength(3);
    for (const [, data] of all.matchAll(/^event: change\nid: \d+\ndata: (.*)$/gm)) LiveEvent.parse(JSON.parse(data!));
    const resumed = await read(
      await quick.get('/api/v1/live?since=0', ['operator'], { 'last-event-id': String(numbers[1]) }),
      (text) => text.includes('event: change'),
    );
    expect(resumed).toContain(`id: ${numbers[2]}\n`);
    expect(resumed.split('event: change')).toHaveLength(2);
    expect(resumed).not.toMatch(/Family|ACC|ID-/);
    expect(await read(await quick.get('/api/v1/live?since=999999'), (text) => text.includes('event: reset'))).toContain(
      'event: reset',
    );
    const answer = await quick.get('/api/v1/live');
    quick.signedOut = true;
    expect(await read(answer, () => false)).not.toContain('event: change');
  } finally {
    await quick.close();
  }
}, 30_000);
