import { HilumError } from '../base/errors';
import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { Archive } from './stage';
import { verify } from './verify';

/**
 * STOW-RS, one object after the other and the report last: its presence then proves that all is there.
 * An answer that leaves open what was stored is settled by a look before the next object goes out.
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
