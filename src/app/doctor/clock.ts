import { orthancClock } from '../../archive/orthanc';
import type { CheckResult } from '../../base/check-result';
import { createLog } from '../../base/log';
import type { Config } from '../../config/config';
import { openDatabase } from '../../worklist/database';
import { openArchive } from '../archive';

const MAX_CLOCK_DIFFERENCE_S = 60;

/** Compares the clock of this machine, which reports carry, with that of the archive. */
export async function examineClock(config: Config): Promise<CheckResult[]> {
  return [await compared({ check: 'clock', owner: 'the archive' }, () => archiveClock(config))];
}

/**
 * Compares the clock of this machine with the database server's, as the list sorts by times of both. An embedded
 * database uses this machine's clock.
 */
export async function examineDatabaseClock({ list }: Config): Promise<CheckResult[]> {
  if (!list.enabled) return [];
  const database = openDatabase(list.database, createLog('silent'));
  if (database.kind === 'sqlite') return [];
  try {
    return [await compared({ check: 'clock: database', owner: 'the database' }, () => database.clock())];
  } finally {
    await database.close();
  }
}

/** By the Date header of any response (RFC 9110 section 6.6.1). Orthanc sends none, but has a resource for it. */
async function archiveClock(config: Config): Promise<Date | null> {
  const archive = openArchive(config);
  try {
    return (await archive.clock()) ?? (await orthancClock({ ...config.archive, url: orthancRoot(config) }));
  } finally {
    await archive.close();
  }
}

function orthancRoot({ archive, catchUp }: Config): string {
  return catchUp.orthancUrl ?? new URL('/', archive.url).href;
}

async function compared(
  { check, owner }: { readonly check: string; readonly owner: string },
  tell: () => Promise<Date | null>,
): Promise<CheckResult> {
  try {
    const theirs = await tell();
    return theirs === null
      ? { check, ok: true, text: `not compared: ${owner} does not tell its time` }
      : { check, ...difference(owner, theirs) };
  } catch {
    return { check, ok: true, text: `not compared: ${owner} does not answer` };
  }
}

function difference(owner: string, theirs: Date): Omit<CheckResult, 'check'> {
  const seconds = Math.round((Date.now() - theirs.getTime()) / 1000);
  const ok = Math.abs(seconds) <= MAX_CLOCK_DIFFERENCE_S;
  const direction = seconds > 0 ? 'ahead of' : 'behind';
  return {
    ok,
    text: ok
      ? `agrees with ${owner} within a minute`
      : `${Math.abs(seconds)} s ${direction} ${owner}: set the clocks by NTP`,
  };
}
