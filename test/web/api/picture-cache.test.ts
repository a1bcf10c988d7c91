import { PictureCache } from '../../../src/web/api/picture-cache';

const ASKER = { rank: 0, isGone: () => false };

test('a picture is held for its time after it was drawn, however often it is asked for', async () => {
  let now = 0;
  let drawn = 0;
  const cache = new PictureCache(1_000, 100, () => now);
  const bytes = Buffer.alloc(10);
  const ask = () =>
    cache.get('film', ASKER, async () => {
      drawn++;
      return new Map([['96', { type: 'image/png', bytes, etag: 'a' }]]);
    });
  await ask();
  for (now = 20; now <= 100; now += 20) await ask();
  expect([drawn, cache.size]).toEqual([1, 10]);
  now = 101;
  cache.forget();
  expect(cache.size).toBe(0);
  await ask();
  expect([drawn, cache.size]).toEqual([2, 10]);
});
