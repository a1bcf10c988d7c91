import { z } from 'zod';
import { path } from '../base/schema';

export const stateSchema = z
  .strictObject({
    dir: path(
      'Folder of what Hilum must remember over a restart',
      ': the embedded list with accounts and verdicts, the audit trail, the outcomes of results.mode shadow, ' +
        'the counts of drift, the cursor of catchUp.kind orthanc',
    ).prefault('state'),
  })
  .prefault({});

export const driftSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Counts what is measured of films, day by day, in state.dir, and compares it with the films that the ' +
          'classifier was validated on',
      ),
    days: z.number().int().min(1).max(365).default(7).describe('Days that the metric hilum_drift_psi looks back on'),
  })
  .prefault({});
