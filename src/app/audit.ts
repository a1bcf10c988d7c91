import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createLog, type Log } from '../base/log';
import type { Config } from '../config/config';
import type { AuditEvent } from '../web/access/audit-event';
import type { SystemEvent } from '../web/audit/events';
import { type AuditRecorder, createRecorder } from '../web/audit/recorder';
import { connectSyslog } from '../web/audit/syslog';
import { AuditTrail } from '../web/audit/trail';

/** What waits for the audit record repository is one process's own: a folder for that of the command line. */
export const COMMAND_LINE = 'command-line';

/** The audit trail as configured; its file is made when there is something to write. */
export function openRecorder({ audit }: Config, log: Log, spoolName = ''): AuditRecorder {
  const { dir, syslog } = audit;
  const outlet = syslog === undefined ? null : connectSyslog({ ...syslog, dir: join(dir, spoolName) }, log);
  return createRecorder(new AuditTrail({ dir, maxFileBytes: audit.maxFileBytes }, outlet), {
    id: audit.sourceId,
    siteId: audit.enterpriseSiteId,
  });
}

/** Puts what a command does into the audit trail, in the name of who runs it, before it is done. */
export interface CommandTrail {
  /** Resolves when it is on the disk. @throws HilumError AUDIT_FAILED: then it must not be done */
  record(event: AuditEvent | SystemEvent): Promise<void>;
}

/** The audit trail as configured, for one piece of work at the command line. */
export async function withTrail<T>(config: Config, work: (trail: CommandTrail) => Promise<T>): Promise<T> {
  const recorder = openRecorder(config, createLog('silent'), COMMAND_LINE);
  try {
    return await work(commandTrail(recorder));
  } finally {
    await recorder.close();
  }
}

/** In the name of who runs the command. */
export function commandTrail(recorder: AuditRecorder): CommandTrail {
  const actor = { ...commandLineUser(), roles: [], address: undefined };
  return { record: (event) => recorder.record(actor, event) };
}

/** Who works at the command line: the operating system knows. */
export function commandLineUser(): { readonly id: string; readonly name: string } {
  const { username } = userInfo();
  return { id: `${COMMAND_LINE}:${username}`, name: username };
}
