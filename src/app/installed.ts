import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../base/log';

const ROOT = join(__dirname, '../..');
export const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
/** The documentation that comes with Hilum. */
export const DOCS_DIR = join(ROOT, 'docs');
/** The models that come with Hilum. */
export const SHIPPED_MODELS = join(ROOT, 'models');

/** First Node version that is still supported; docs/install.md recommends the newest. */
const FIRST_SUPPORTED_NODE = 22;

/** Logs a warning on Node 20: Hilum runs on it, but Node 20 gets no security fixes any more. */
export function warnOfOldNode(log: Log, node = process.versions.node): void {
  if (Number.parseInt(node, 10) >= FIRST_SUPPORTED_NODE) return;
  log.warn(
    { event: 'node.out-of-support', node },
    `Node ${node} gets no security fixes any more (Node 20 left support in April 2026); Node 24 is recommended`,
  );
}
