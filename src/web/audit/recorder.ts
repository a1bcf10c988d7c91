import type { AuditEvent } from '../access/audit-event';
import { type Actor, type AuditSource, messagesOf, type SystemEvent } from './events';
import { auditXml } from './message';
import type { AuditTrail } from './trail';

/** Makes audit messages of events and writes them to the trail. */
export interface AuditRecorder {
  /** Resolves when the messages are on disk. @throws HilumError AUDIT_FAILED */
  record(actor: Actor, event: AuditEvent | SystemEvent): Promise<void>;
  close(): Promise<void>;
}

/** The service itself, as author of events that nobody caused. */
export const SERVICE: Actor = { id: 'hilum', name: 'Hilum', roles: [], address: undefined };

export function createRecorder(trail: AuditTrail, source: AuditSource, now: () => number = Date.now): AuditRecorder {
  return {
    async record(actor, event) {
      const at = new Date(now());
      await Promise.all(messagesOf(event, actor, source, at).map((message) => trail.write(auditXml(message), at)));
    },
    close: () => trail.close(),
  };
}
