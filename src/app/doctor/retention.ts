import type { CheckResult } from '../../base/check-result';
import type { Config } from '../../config/config';
import { hasDatabase } from './database';

/** Reports how long each kind of record is kept. It is never an error. */
export async function examineRetention(config: Config): Promise<CheckResult[]> {
  if (!hasDatabase(config)) return [];
  const { listDays, verdictDays, auditDays } = config.retention;
  const kept = [
    ...(config.roles.includes('list') && config.list.enabled
      ? [`rows of the list ${said(listDays)}`, `verdicts ${said(verdictDays)}`]
      : []),
    `the audit trail ${said(auditDays)}`,
  ];
  return [{ check: 'retention', ok: true, text: `kept: ${kept.join(', ')}` }];
}

const said = (days: number | null) => (days === null ? 'for ever' : `${days} days`);
