import { z } from 'zod';
import { fromConfigFolder } from '../base/schema';
import { isTimeZone, systemTimeZone } from '../base/time-zone';

/** `file://...` is a URL and already absolute. */
function withAbsolutePath(database: string): string {
  const path = /^file:(?!\/\/)(.+)$/s.exec(database)?.[1];
  return path === undefined ? database : `file:${fromConfigFolder(path)}`;
}

/** Null: for ever. */
const days = (least: number, text: string) =>
  z.number().int().min(least).max(36_500).nullable().default(null).describe(`${text} (days); null: for ever`);

/** Shortest retention of rows: corrections, comparisons and turnaround need weeks. */
const MIN_DAYS = 30;

export const retentionSchema = z
  .strictObject({
    listDays: days(MIN_DAYS, 'How long a row of the list is kept after the last thing that happened to its study'),
    verdictDays: days(MIN_DAYS, 'How long a verdict is kept whose study is not on the list any more'),
    auditDays: days(MIN_DAYS, 'How long messages of the audit trail are kept at least; files of a month go as a whole'),
    pictureDays: z
      .number()
      .positive()
      .max(365)
      .default(1)
      .describe('How long a drawn picture is held in memory at most (days); none is on the disk'),
  })
  .prefault({});
export type RetentionConfig = z.infer<typeof retentionSchema>;

/** Settings that are refused when the configuration is read. */
export function retentionProblems({ listDays, verdictDays }: RetentionConfig): string[] {
  if (verdictDays === null || (listDays !== null && verdictDays >= listDays)) return [];
  return ['retention.verdictDays: a row shows its verdict, so listDays must be set, and not be longer'];
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
