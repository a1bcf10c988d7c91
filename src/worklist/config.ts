import { z } from 'zod';
import { fromConfigFolder } from '../base/schema';
import { isTimeZone, systemTimeZone } from '../base/time-zone';

/** `file://...` is a URL, absolute as it is. */
function withAbsolutePath(database: string): string {
  const path = /^file:(?!\/\/)(.+)$/s.exec(database)?.[1];
  return path === undefined ? database : `file:${fromConfigFolder(path)}`;
}

export const listSchema = z
  .strictObject({
    enabled: z.boolean().default(false).describe('The reading list: its database is kept, and results are told to it'),
    database: z
      .string()
      .regex(/^(file:.|postgres(ql)?:\/\/)/, 'must be file:PATH or postgres://...')
      .overwrite(withAbsolutePath)
      .optional()
      .describe(
        'file:PATH (relative to the configuration file) or postgres://USER:PASSWORD@HOST/DATABASE; by default ' +
          'list.db in state.dir',
      ),
    viewers: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(24),
          url: z.string().regex(/^(https?|weasis):/, 'must be a URL of http, https or weasis'),
        }),
      )
      .max(8)
      .default([])
      .describe(
        'Viewers that open a study: {name, url} each, with {StudyInstanceUID}, {AccessionNumber} or {PatientID} ' +
          'in the URL',
      ),
    pictureCacheMiB: z
      .number()
      .int()
      .min(8)
      .max(4_096)
      .default(64)
      .describe('Pictures of films and heat maps that are held in memory (MiB)'),
    claimMinutes: z
      .number()
      .min(1)
      .max(240)
      .default(15)
      .describe('How long a study is shown as being read unless its page renews that (minutes)'),
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be the IANA name of a time zone, such as Europe/Berlin')
      .default(systemTimeZone)
      .describe('Time zone of the site, by which a day begins (IANA name)'),
  })
  .prefault({});
