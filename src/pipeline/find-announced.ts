import { sleep } from '../base/retry';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import type { Archive } from './stage';

/** Delays before an archive that returns nothing of an announced study is asked again (milliseconds). */
const EMPTY_DELAYS_MS = [1_000, 4_000];

/**
 * Instances of an announced study. A study without instances is most likely deleted, merged or moved; but the archive's
 * index may be late, so that it is asked again after each of `delaysMs`.
 * @param known instances that were listed a moment ago
 * @throws HilumError of the archive
 */
export async function findAnnounced(
  study: Uid,
  archive: Pick<Archive, 'findInstances'>,
  delaysMs: readonly number[] = EMPTY_DELAYS_MS,
  known: readonly InstanceReference[] | null = null,
): Promise<readonly InstanceReference[]> {
  let instances = known ?? (await archive.findInstances(study));
  for (const delayMs of delaysMs) {
    if (instances.length > 0) break;
    await sleep(delayMs);
    instances = await archive.findInstances(study);
  }
  return instances;
}
