import type { CheckResult } from '../../base/check-result';
import type { Config } from '../../config/config';
import { openArchive } from '../archive';

export async function examineArchive(config: Config): Promise<CheckResult[]> {
  const archive = openArchive(config);
  try {
    return (await archive.probe()).map(({ check, ok, text }) => ({ check: `archive: ${check}`, ok, text }));
  } finally {
    await archive.close();
  }
}
