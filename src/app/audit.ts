import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createLog, type Log } from '../base/log';
import type { Config } from '../config/config';
import type { AuditEvent } from '../web/access/audit-event';
import type { SystemEvent } from '../web/audit/events';
import { type AuditRecorder, createRecorder } from '../web/audit/recorder';
import { connectSyslog } from '../web/audit/syslog';
import { AuditTrail } from '../web/audit/trail';

/** Name of the spool folder for audit messages of the command line: each process has its own. */
export const COMMAND_LINE = 'command-line';

/** The audit trail as configured. Its file is made with the first record. */
export function openRecorder({ audit }: Config, log: Log, spoolName = ''): AuditRecorder {
  const { dir, syslog } = audit;
  const outlet = syslog === undefined ? null : connectSyslog({ ...syslog, dir: join(dir, spoolName) }, log);
  return createRecorder(new AuditTrail({ dir, maxFileBytes: audit.maxFileBytes }, outlet), {
    id: audit.sourceId,
    siteId: audit.enterpriseSiteId,
  });
}

/** Records what a command does, in the name of the person who runs it, before it is done. */
export interface CommandTrail {
  /** Resolves when the record is on disk. @throws HilumError AUDIT_FAILED: then the command must not go on */
  record(event: AuditEvent | SystemEvent): Promise<void>;
}

/** Opens the audit trail as configured, does the work of a command, and closes it. */
export async function withTrail<T>(config: Config, work: (trail: CommandTrail) => Promise<T>): Promise<T> {
  const recorder = openRecorder(config, createLog('silent'), COMMAND_LINE);
  try {
    return await work(commandTrail(recorder));
  } finally {
    await recorder.close();
  }
}

/** Records in the name of the person who runs the command. */
export function commandTrail(recorder: AuditRecorder): CommandTrail {
  const actor = { ...commandLineUser(), roles: [], address: undefined };
  return { record: (event) => recorder.record(actor, event) };
}

/** The user of the operating system who runs the command. */
export function commandLineUser(): { readonly id: string; readonly name: string } {
  const { username } = userInfo();
  return { id: `${COMMAND_LINE}:${username}`, name: username };
}
