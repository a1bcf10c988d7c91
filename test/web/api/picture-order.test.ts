import type { FilmReader } from '../../../src/pipeline/film-reader';
import { unboundedReader } from '../../../src/pipeline/film-reader';
import type { StudyDetail } from '../../../src/web/api/api-types';
import { ListSite, studyOf } from '../../support/web/list-site';

const SEEDS = [1, 2, 3, 4, 5, 6];
let site: ListSite;
/** Studies in the order in which their films were drawn. */
let drawn: number[] = [];
let retrieved: string[] = [];
let hold: Promise<void> = Promise.resolve();
let letGo: () => void = () => {};
const names = new Map<string, number>();

const reader: FilmReader = {
  ...unboundedReader,
  picture: async (opened, longest) => {
    drawn.push(names.get(opened.sopInstanceUid)!);
    await hold;
    return unboundedReader.picture(opened, longest);
  },
};

beforeAll(async () => {
  site = await ListSite.open({ parts: { reader, cacheBytes: 0 } });
  for (const seed of SEEDS) {
    const record = await site.analysed({ seed }, { probability: 0.2 });
    names.set(record.films[0]!.sopInstanceUid, seed);
  }
  site.archive.before = (call, uid) => call === 'retrieve' && retrieved.push(uid);
}, 60_000);
afterAll(() => site.close());

beforeEach(() => {
  [drawn, retrieved] = [[], []];
  hold = new Promise((resolve) => (letGo = resolve));
});
afterEach(() => letGo());

const filmOf = async (seed: number) =>
  ((await (await site.get(`/api/v1/studies/${studyOf(seed)}`)).json()) as StudyDetail).films[0]!;
const until = async (holds: () => boolean) => {
  for (let tries = 0; tries < 500 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
};

/** As the rows of a list ask, in this order. */
async function askThumbs(seeds: readonly number[], signal?: AbortSignal): Promise<Promise<number>[]> {
  const asked: Promise<number>[] = [];
  for (const seed of seeds) {
    const { picture } = await filmOf(seed);
    const answer = fetch(`${site.url}${picture}?size=96`, {
      headers: { 'x-test-roles': 'radiologist' },
      ...(signal === undefined ? {} : { signal }),
    });
    asked.push(
      answer.then(
        async (got) => (await got.arrayBuffer(), got.status),
        () => 0,
      ),
    );
  }
  return asked;
}

test('the film of the open study goes before thumbnails that are not begun; its thumbnail goes with it', async () => {
  const open = await filmOf(6);
  const thumbs = await askThumbs([1, 2, 3, 4, 6]);
  await until(() => drawn.length === 1 && retrieved.length >= 2);
  const film = site.get(`${open.picture}?size=1024`);
  // In hand: it is retrieved at once, whatever thumbnails are being retrieved.
  await until(() => retrieved.includes(open.sopInstanceUid));
  await new Promise((resolve) => setTimeout(resolve, 100));
  letGo();
  expect((await film).status).toBe(200);
  expect(await Promise.all(thumbs)).toEqual([200, 200, 200, 200, 200]);
  expect(drawn.slice(0, 2)).toEqual([1, 6]);
  expect([...drawn].sort()).toEqual([1, 2, 3, 4, 6]);
});

test('thumbnails that nobody waits for any more are not begun', async () => {
  const leaving = new AbortController();
  const thumbs = await askThumbs([1, 2, 3, 4, 5], leaving.signal);
  await until(() => drawn.length === 1 && retrieved.length >= 2);
  leaving.abort();
  expect(await Promise.all(thumbs)).toEqual([0, 0, 0, 0, 0]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const film = site.get(`${(await filmOf(6)).picture}?size=1024`);
  await until(() => retrieved.includes([...names].find(([, seed]) => seed === 6)![0]));
  letGo();
  expect((await film).status).toBe(200);
  expect(drawn).toEqual([1, 6]);
});

test('a heat map waits for the film that it lies over, and reads it once with it', async () => {
  const { picture, heatMap, report, sopInstanceUid } = await filmOf(3);
  letGo();
  const answers = await Promise.all([
    site.get(`${picture}?size=1024`),
    site.get(`${heatMap}size=1024&part=film`),
    site.get(report!),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(retrieved.filter((uid) => uid === sopInstanceUid)).toHaveLength(1);
});
