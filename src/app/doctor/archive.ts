import type { CheckResult } from '../../base/check-result';
import type { Config } from '../../config/config';
import { openArchive } from '../archive';

const GREATEST_CLOCK_DIFFERENCE_S = 60;

export async function examineArchive(config: Config): Promise<CheckResult[]> {
  const archive = openArchive(config);
  try {
    return (await archive.probe()).map(({ check, ok, text }) => ({ check: `archive: ${check}`, ok, text }));
  } finally {
    await archive.close();
  }
}

/** Reports carry the time of this machine, so it should be that of the archive. */
export async function examineClock(config: Config): Promise<CheckResult[]> {
  const archive = openArchive(config);
  try {
    const theirs = await archive.clock();
    if (theirs === null)
      return [{ check: 'clock', ok: true, text: 'not compared: the archive does not tell its time' }];
    const seconds = Math.round((Date.now() - theirs.getTime()) / 1000);
    const ok = Math.abs(seconds) <= GREATEST_CLOCK_DIFFERENCE_S;
    return [
      {
        check: 'clock',
        ok,
        text: ok
          ? 'agrees with the archive within a minute'
          : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the archive: set the clocks by NTP`,
      },
    ];
  } catch {
    return [{ check: 'clock', ok: true, text: 'not compared: the archive does not answer' }];
  } finally {
    await archive.close();
  }
}
