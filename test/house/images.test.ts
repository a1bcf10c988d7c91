import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { images, imagesOf, withDigests } from '../../scripts/lib/images.cjs';

/**
 * Without a digest until `npm run image-digests` was run where an image registry is reachable. Nothing is added here: a
 * new image comes with its digest.
 */
const AWAITED = [
  'Dockerfile: node:24-bookworm-slim',
  'orthanc.Dockerfile: orthancteam/orthanc:26.4.2',
  'ohif.Dockerfile: node:24-bookworm-slim',
  'ohif.Dockerfile: nginx:1.28-alpine',
  'compose.yaml: rabbitmq:4.2-management',
];

test('each image has its digest, but for those that still wait for it', () => {
  const found = images();
  expect(found.filter(({ digest }) => digest === null).map(({ file, image }) => `${file}: ${image}`)).toEqual(AWAITED);
  for (const { digest } of found) if (digest !== null) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('no image of docker/ goes unseen: every FROM is one of these, an earlier stage or an argument with one', () => {
  const docker = resolve(__dirname, '../../docker');
  for (const file of readdirSync(docker).filter((name) => name.endsWith('Dockerfile'))) {
    const text = readFileSync(join(docker, file), 'utf8');
    const known = new Set(imagesOf(file, text).map(({ line }) => line));
    const from = text.split('\n').filter((line) => /^(FROM|ARG \w+_IMAGE=)/.test(line));
    expect(from.filter((line) => !known.has(line) && !/^FROM \$\{\w+_IMAGE\}/.test(line))).toEqual([]);
  }
});

test('a digest is put behind the tag, and a newer one in its place; all else stays', () => {
  const text = 'ARG NODE_IMAGE=node:24-slim\nFROM ${NODE_IMAGE} AS build\nFROM nginx:1.2\nRUN echo node:24-slim\n';
  const [old, next] = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`) as [string, string];
  const once = withDigests(text, new Map([['node:24-slim', old]]));
  expect(once).toBe(text.replace('=node:24-slim', `=node:24-slim@${old}`));
  expect(withDigests(once, new Map([['node:24-slim', next]]))).toBe(once.replace(old, next));
  expect(imagesOf('x', once).map(({ image, digest }) => [image, digest])).toEqual([
    ['node:24-slim', old],
    ['nginx:1.2', null],
  ]);
});
