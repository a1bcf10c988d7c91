import { z } from 'zod';
import { MAX_UID_LENGTH, type Uid, UID_FORM, unpadded } from './uid';

/** Schema of a UID in a message of unknown origin: `tryParseUid`, in a form that JSON Schema can express. */
export const uidSchema = z
  .string()
  .overwrite(unpadded)
  .max(MAX_UID_LENGTH)
  .regex(UID_FORM)
  .transform((text) => text as Uid)
  .meta({ id: 'uid', description: 'A DICOM UID' });
