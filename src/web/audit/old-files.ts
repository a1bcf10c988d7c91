import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Names of closed files of the trail, as `AuditTrail` makes them. */
const CLOSED = /^audit-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z\.log$/;

/** Closed files of the trail whose last message was written before `before`, the oldest first. */
export async function oldAuditFiles(dir: string, before: Date): Promise<string[]> {
  const names = (await readdir(dir).catch(() => [])).filter((name) => CLOSED.test(name)).sort();
  const written = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).mtimeMs));
  return names.filter((_name, i) => written[i]! < before.getTime());
}

/** A file that another process has removed is no error. */
export async function removeAuditFiles(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(dir, name), { force: true });
}
