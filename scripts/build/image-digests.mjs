#!/usr/bin/env node
/**
 * node scripts/build/image-digests.mjs [--dry-run]: asks the image registries for the digest of each base image of
 * docker/ and writes it behind the tag (IMAGE:TAG@sha256:...), so that what is built tomorrow is built from the same.
 * Needs skopeo or docker buildx, and a registry that is reachable. Changes nothing where one image can't be asked for.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { images, writeDigests } from '../lib/images.cjs';
import { Explained, runMain, say } from '../lib/shell.mjs';

/** Each asks for the digest of the index, which names the images of all platforms. */
/** @type {[string, (image: string) => string[]][]} */
const TOOLS = [
  ['skopeo', (image) => ['inspect', '--format', '{{.Digest}}', `docker://${image}`]],
  ['docker', (image) => ['buildx', 'imagetools', 'inspect', '--format', '{{.Manifest.Digest}}', image]],
];
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const PATIENCE_MS = 60_000;

async function main() {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
  const names = [...new Set(images().map(({ image }) => image))];
  const digests = new Map(names.map((image) => [image, digestOf(image)]));
  for (const [image, digest] of digests) say(`${image}@${digest}`);
  if (!values['dry-run']) writeDigests(digests);
  return 0;
}

function digestOf(image) {
  const problems = [];
  for (const [tool, args] of TOOLS) {
    try {
      const digest = execFileSync(tool, args(image), {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: PATIENCE_MS,
      }).trim();
      if (DIGEST.test(digest)) return digest;
      problems.push(`${tool} gave no digest`);
    } catch (error) {
      problems.push(
        `${tool}: ${
          String(error.stderr ?? error.message)
            .trim()
            .split('\n')[0]
        }`,
      );
    }
  }
  throw new Explained(`no digest of ${image}: ${problems.join('; ')}`);
}

await runMain(main);
