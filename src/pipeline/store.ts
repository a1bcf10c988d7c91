import { HilumError } from '../base/errors';
import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { Archive } from './stage';
import { verify } from './verify';

/**
 * STOW-RS, one object after the other, the report last: a stored report means that all objects are stored. After an
 * ambiguous response a query decides, before the next object is sent; so it does after a permanent refusal, as servers
 * have Failure Reasons of their own for an object that another worker has stored meanwhile.
 */
export async function store(study: Uid, objects: readonly EncodedObject[], archive: Archive): Promise<void> {
  for (const object of objects) {
    try {
      await archive.store(study, [object]);
    } catch (error) {
      if (!(error instanceof HilumError)) throw error;
      if (error.lasting === 'ambiguous') await verify(study, [object], archive);
      else if (!(await isRefusedAsStored(error, study, object, archive))) throw error;
    }
  }
}

async function isRefusedAsStored(
  { code, lasting }: HilumError,
  study: Uid,
  object: EncodedObject,
  archive: Archive,
): Promise<boolean> {
  if (code !== 'STORE_FAILED' || lasting !== 'permanent') return false;
  return verify(study, [object], archive).then(
    () => true,
    () => false,
  );
}
