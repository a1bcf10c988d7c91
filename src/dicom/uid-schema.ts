import { z } from 'zod';
import { MAX_UID_LENGTH, type Uid, UID_FORM, unpadded } from './uid';

/** A UID inside a message that anybody may have published: `tryParseUid`, in a form that a JSON Schema can tell. */
export const uidSchema = z
  .string()
  .overwrite(unpadded)
  .max(MAX_UID_LENGTH)
  .regex(UID_FORM)
  .transform((text) => text as Uid)
  .meta({ id: 'uid', description: 'A DICOM UID' });
