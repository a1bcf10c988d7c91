import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

/** What a study costs the archive: its requests, in the order in which they come. */
const site = Site.forTests();

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^POST .*/, 'store'],
  [/.*\/series\?.*/, 'series'],
  [/.*\/series\/[\d.]+\/metadata$/, 'metadata of a series'],
  [/.*\/instances\/[\d.]+\/metadata$/, 'metadata of an instance'],
  [/.*\/instances\/[\d.]+$/, 'instance'],
  [/.*\/studies\/[\d.]+\/instances\?.*/, 'instances'],
  [/.*\/series\/[\d.]+\/instances\?.*/, 'instances of a series'],
  [/.*\/studies\?.*/, 'study'],
];

/** Requests since the last look. */
function requests(): string[] {
  return site.proxy.requests
    .splice(0)
    .map(({ method, path }) => NAMES.reduce((text, [form, name]) => text.replace(form, name), `${method} ${path}`));
}

/** Without the list that a worker asks for where it was not idle: on a busy machine it may come late. */
const withoutList = (asked: readonly string[]) => asked.toSpliced(3, asked[3] === 'instances' ? LIST.length : 0);

/** All instances of a study, and the archive's own number of them. */
const LIST = ['instances', 'study'];
const TRIAGE = ['series', 'study', 'metadata of a series'];
const FILM = ['instance', 'store', 'store'];

test('an ordinary study of one film costs seven requests, and two more where no worker is idle', async () => {
  const worker = await site.work();
  for (let n = 0; n < 2; n++) {
    const study = await site.put();
    await site.tell(study);
    await worker.saw('study.done', study);
    expect(withoutList(requests())).toEqual([...TRIAGE, ...FILM, 'instances']);
  }
  const busy = [await site.put(), await site.put(), await site.put()];
  for (const study of busy) await site.tell(study);
  for (const study of busy) await worker.saw('study.done', study);
  expect(requests().length).toBeLessThanOrEqual(9 * busy.length);
});

test('the same again, as when our own results arrive: triage and a query', async () => {
  const worker = await site.work();
  const study = await site.put();
  await site.tell(study);
  await worker.saw('study.done', study);
  requests();
  await site.tell(study, {}, { compareFilms: false });
  await worker.saw('study.nothing-new', study);
  expect(requests()).toEqual([...TRIAGE, ...LIST]);
});

test('the reading list asks for nothing while a study is on its way, and for four things of its result', async () => {
  const database = `file:${join(tmpdir(), `hilum-requests-${process.pid}.db`)}`;
  const worker = await site.work({ list: { enabled: true, database } });
  // Whether the archive is there, at the start and each half minute.
  await until('it has asked whether the archive is there', () => site.proxy.requests.length > 0);
  requests();
  const study = await site.put();
  await site.tell(study);
  await worker.saw('delivery.done', study);
  const asked = withoutList(requests());
  expect(asked.slice(0, 7)).toEqual([...TRIAGE, ...FILM, 'instances']);
  expect(asked.slice(7)).toEqual([...LIST, 'instance', 'metadata of an instance']);
});

test('a study of two films in one series: it is listed twice all the same', async () => {
  const worker = await site.work();
  const study = await site.put(2);
  await site.tell(study);
  await worker.saw('study.done', study);
  expect(requests()).toEqual([
    'series',
    'study',
    'instances of a series',
    'metadata of an instance',
    ...LIST,
    ...FILM,
    ...FILM,
    'instances',
  ]);
});
