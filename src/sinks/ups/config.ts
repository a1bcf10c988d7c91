import { z } from 'zod';
import { enabled, httpShape, httpUrl } from '../config';

export const upsSchema = z.strictObject({
  enabled,
  url: httpUrl('Root of the UPS-RS service, without /workitems'),
  ...httpShape,
  worklistLabel: z.string().min(1).max(64).default('Hilum').describe('Worklist Label (0074,1202) of the workitems'),
  routinePriority: z
    .enum(['MEDIUM', 'LOW'])
    .default('MEDIUM')
    .describe('Priority of a study in which films were analysed and none is urgent'),
  retrieveUrl: httpUrl('DICOMweb root that others retrieve films and results from; by default archive.url'),
  uidQuery: z
    .enum(['bare', 'workitem', 'AffectedSOPInstanceUID'])
    .default('bare')
    .describe(
      'How the server wants a new workitem named: ?UID as PS3.18 prints it, ?workitem=UID (dcm4chee), ' +
        '?AffectedSOPInstanceUID=UID (before 2019)',
    ),
  requester: z
    .string()
    .regex(/^[A-Za-z0-9_. -]{1,16}$/)
    .optional()
    .describe('AE title at the end of the path of state changes, which dcm4chee wants and PS3.18 does not have'),
});
