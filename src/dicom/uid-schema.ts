import { z } from 'zod';
import { tryParseUid, type Uid } from './uid';

/** A UID inside a message that anybody may have published. */
export const uidSchema = z.string().transform((text, context): Uid => {
  const parsed = tryParseUid(text);
  if (parsed === undefined) context.addIssue({ code: 'custom', message: 'not a DICOM UID' });
  return parsed ?? z.NEVER;
});
