import type { RebuiltStudy } from '../app/rebuild';
import { describeError } from '../base/errors';
import { configOption, HilumCommand, loadConfig, note, print, UsageError } from './command';
import { noteUndated, readTarget } from './study-target';

interface RebuildOptions {
  readonly config: string;
  readonly since?: string;
  readonly until?: string;
  readonly undated?: boolean;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Start of the search by default: before the first report of Hilum. */
const FIRST_DAY = '2000-01-01';

export const rebuild = new HilumCommand('rebuild', 'fills the reading list from the reports in the archive')
  .description(
    'Fills the reading list from the reports in the archive, all of them or of some studies: what is there stays, and so do verdicts; patient and study attributes follow the archive. Stopped and started again, it goes on where it was. Ends with 1 when a study could not be read.',
  )
  .argument('[STUDYUID...]', 'Study Instance UIDs')
  .addOption(configOption())
  .option('--since <YYYY-MM-DD>', 'all studies from this day on, by Study Date')
  .option('--until <YYYY-MM-DD>', 'and to this day; today when left out')
  .option('--undated', 'all studies without a Study Date instead, which no search by days finds')
  .option('--all', 'reads again what the list has a result of, too')
  .option('--json', 'one JSON line per study')
  .example(
    'hilum rebuild --config /etc/hilum/hilum.yaml',
    'hilum rebuild --since 2026-01-01 --all --config /etc/hilum/hilum.yaml',
  )
  .does(
    async (
      uids: string[],
      { since, until, undated = false, config: path, all = false, json = false }: RebuildOptions,
    ) => {
      const target = readTarget(
        uids,
        uids.length > 0 || undated ? since : (since ?? FIRST_DAY),
        until,
        new Date(),
        undated,
      );
      if (typeof target === 'string') throw new UsageError(target);
      const config = await loadConfig(path);
      const { rebuildList } = await import('../app/rebuild.js');
      const counts: Record<RebuiltStudy['outcome'], number> = {
        written: 0,
        known: 0,
        corrected: 0,
        'no-report': 0,
        failed: 0,
      };
      try {
        await rebuildList(config, target, {
          again: all,
          onStudy({ studyInstanceUid, outcome, error }) {
            counts[outcome]++;
            if (error !== undefined) note(`${studyInstanceUid}: ${describeError(error)}`);
            if (json) print(JSON.stringify({ studyInstanceUid, outcome }));
          },
          onUndated: noteUndated,
        });
      } finally {
        if (!json) printCounts(counts);
      }
      return counts.failed === 0 ? 0 : 1;
    },
  );

const EXPLAINED: Readonly<Record<RebuiltStudy['outcome'], string>> = {
  written: 'written',
  known: 'has its result already',
  corrected: 'has its result already; patient or study attributes were corrected',
  'no-report': 'has no report of Hilum',
  failed: 'could not be read',
};

function printCounts(counts: Readonly<Record<RebuiltStudy['outcome'], number>>): void {
  for (const [outcome, text] of Object.entries(EXPLAINED))
    print(`${String(counts[outcome as RebuiltStudy['outcome']]).padStart(7)}  ${text}`);
}
