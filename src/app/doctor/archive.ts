import { dicomWebArchive } from '../../archive/dicomweb';
import type { CheckResult } from '../../base/check-result';
import { HilumError } from '../../base/errors';
import type { Config } from '../../config/config';
import { openArchive } from '../archive';

export async function examineArchive(config: Config): Promise<CheckResult[]> {
  const archive = openArchive(config);
  const stores = config.roles.includes('worker') && config.results.mode === 'live';
  try {
    const results = (await archive.probe({ stores })).map(({ check, ok, text }) => ({
      check: `archive: ${check}`,
      ok,
      text,
    }));
    return [...results, ...(results.every(({ ok }) => ok) ? await examinePassword(config) : [])];
  } finally {
    await archive.close();
  }
}

/**
 * Checks whether the archive answers without a password. Debian's Orthanc does unless `AuthenticationEnabled` is set:
 * then everybody who reaches its port can read all films.
 */
async function examinePassword({ archive }: Config): Promise<CheckResult[]> {
  if (archive.auth.kind === 'none') return [];
  const check = 'archive: password';
  const anonymous = dicomWebArchive({ ...archive, auth: { kind: 'none' } });
  try {
    await anonymous.findStudies({ from: '', to: '', offset: 0, limit: 1 });
    const text =
      'the archive answers without the password too, so whoever reaches it reads all films: ' +
      'switch its sign-in on (Orthanc: "AuthenticationEnabled": true)';
    return [{ check, ok: false, text }];
  } catch (error) {
    const isRefused = error instanceof HilumError && error.code === 'ARCHIVE_UNAUTHORISED';
    return isRefused ? [{ check, ok: true, text: 'the archive lets nobody query without the password' }] : [];
  } finally {
    await anonymous.close();
  }
}
