import { tmpdir } from 'node:os';
import type { CheckResult } from '../../base/check-result';
import { freeBytes, writeProblem } from '../../base/disk';
import type { Config } from '../../config/config';
import { AUDIT_FILE } from '../../web/audit/trail';
import { keepsState } from '../readiness';
import { hasDatabase } from './database';

const MIN_FREE_BYTES = 1024 ** 3;

/** Checks free space of the folders for state, audit trail and temporary files, and write access to the first two. */
export async function examineDisk(config: Config): Promise<CheckResult[]> {
  const { state, audit } = config;
  const folders = [...new Set([state.dir, ...(hasDatabase(config) ? [audit.dir] : []), tmpdir()])];
  return Promise.all([
    ...folders.map(examineRoom),
    ...(keepsState(config, hasDatabase(config)) ? [examineWriting('state.dir', state.dir)] : []),
    ...(hasDatabase(config) ? [examineWriting('audit.dir', audit.dir, AUDIT_FILE)] : []),
  ]);
}

async function examineRoom(folder: string): Promise<CheckResult> {
  const free = await freeBytes(folder).catch(() => null);
  if (free === null) return { check: 'disk', ok: false, text: `the folder ${folder} can't be looked at` };
  const ok = free >= MIN_FREE_BYTES;
  const text = `${(free / 1e9).toFixed(1)} GB free in ${folder}`;
  return { check: 'disk', ok, text: ok ? text : `${text}: make room, less than 1 GB is too little` };
}

async function examineWriting(check: string, folder: string, appended?: string): Promise<CheckResult> {
  const problem = await writeProblem(folder, appended);
  return { check, ok: problem === null, text: problem ?? `${folder} can be written to` };
}
