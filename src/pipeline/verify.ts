import { HilumError } from '../base/errors';
import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { Archive } from './stage';

/**
 * An answer to a store request proves little (some servers say 200 after a partial store), so a query has the last
 * word: one for all objects of a study that were stored in a run.
 * @throws HilumError STORE_NOT_CONFIRMED when a query does not find every object.
 */
export async function verify(
  study: Uid,
  objects: readonly Pick<EncodedObject, 'sopInstanceUid'>[],
  archive: Pick<Archive, 'findInstances'>,
): Promise<void> {
  if (objects.length === 0) return;
  const wanted = objects.map(({ sopInstanceUid }) => sopInstanceUid);
  const present = new Set<string>(
    (await archive.findInstances(study, wanted)).map((instance) => instance.sopInstanceUid),
  );
  const missing = objects.filter((object) => !present.has(object.sopInstanceUid));
  if (missing.length > 0)
    throw new HilumError(
      'STORE_NOT_CONFIRMED',
      'transient',
      `${missing.length} of ${objects.length} stored objects were not found by a query`,
    );
}
