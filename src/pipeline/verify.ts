import { HilumError } from '../base/errors';
import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { Archive } from './stage';

/**
 * Verifies by one query that all objects of a run are stored, as STOW-RS responses are not reliable (some servers
 * answer 200 after storing a part).
 * @throws HilumError STORE_NOT_CONFIRMED when an object is missing
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
