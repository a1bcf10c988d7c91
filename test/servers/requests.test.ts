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

const TRIAGE = ['series', 'metadata of a series'];
const FILM = ['instance', 'store', 'store'];

test('an ordinary study of one film costs seven requests', async () => {
  const worker = await site.work();
  for (let n = 0; n < 2; n++) {
    const study = await site.put();
    await site.tell(study);
    await worker.saw('study.done', study);
    expect(requests()).toEqual([...TRIAGE, 'instances', ...FILM, 'instances']);
  }
});

test('a study of two films in one series: it is listed twice all the same', async () => {
  const worker = await site.work();
  const study = await site.put(2);
  await site.tell(study);
  await worker.saw('study.done', study);
  expect(requests()).toEqual([
    'series',
    'instances of a series',
    'metadata of an instance',
    'instances',
    ...FILM,
    ...FILM,
    'instances',
  ]);
});
