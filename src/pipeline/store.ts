import { HilumError } from '../base/errors';
import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { Archive } from './stage';
import { verify } from './verify';

/**
 * STOW-RS, one object after the other, the report last: a stored report means that all objects are stored. After an
 * ambiguous response a query decides, before the next object is sent.
 */
export async function store(study: Uid, objects: readonly EncodedObject[], archive: Archive): Promise<void> {
  for (const object of objects) {
    try {
      await archive.store(study, [object]);
    } catch (error) {
      if (!(error instanceof HilumError) || error.lasting !== 'ambiguous') throw error;
      await verify(study, [object], archive);
    }
  }
}
