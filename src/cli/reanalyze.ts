import type { AskedStudy } from '../app/catch-up';
import { configOption, HilumCommand, loadConfig, note, print, UsageError } from './command';
import { noteUndated, readTarget } from './study-target';

interface ReanalyzeOptions {
  readonly config: string;
  readonly since?: string;
  readonly until?: string;
  readonly undated?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export const reanalyze = new HilumCommand(
  'reanalyze',
  'analyses studies anew whose films have a result of another version or other settings',
)
  .description(
    'Analyses studies anew whose films have a result of another version or other settings; films that this version has done with these settings stay as they are. Ends with 1 when a study that was named is not in the archive or has no film.',
  )
  .argument('[STUDYUID...]', 'Study Instance UIDs')
  .addOption(configOption())
  .option('--since <YYYY-MM-DD>', 'all studies from this day on, by Study Date')
  .option('--until <YYYY-MM-DD>', 'and to this day; today when left out')
  .option('--undated', 'all studies without a Study Date instead, which no search by days finds')
  .option('--dry-run', 'only says which')
  .option('--json', 'one JSON line per study')
  .example(
    'hilum reanalyze 1.2.840.113619.2.5 --config /etc/hilum/hilum.yaml',
    'hilum reanalyze --since 2026-01-01 --until 2026-01-31 --dry-run --config /etc/hilum/hilum.yaml',
  )
  .does(
    async (
      uids: string[],
      { since, until, undated = false, config: path, dryRun = false, json = false }: ReanalyzeOptions,
    ) => {
      const target = readTarget(uids, since, until, new Date(), undated);
      if (typeof target === 'string') throw new UsageError(target);
      const config = await loadConfig(path);
      const { askForReanalysis } = await import('../app/catch-up.js');
      let [asked, wrong] = [0, 0];
      try {
        await askForReanalysis(config, target, {
          dryRun,
          onFull: (waiting) => note(`${waiting} studies wait to be worked on; going on when there is room`),
          onStudy(study) {
            if (study.outcome === 'asked') asked++;
            else wrong++;
            print(json ? JSON.stringify({ ...study, dryRun }) : describe(study, dryRun));
          },
          onUndated: noteUndated,
        });
      } finally {
        if (!json) print(`${asked} ${asked === 1 ? 'study' : 'studies'} ${dryRun ? 'would be ' : ''}asked for`);
      }
      return wrong === 0 ? 0 : 1;
    },
  );

const EXPLAINED: Readonly<Record<AskedStudy['outcome'], string>> = {
  asked: 'asked for',
  'not-found': 'not in the archive',
  'no-film': 'has neither CR nor DX',
};

function describe({ studyInstanceUid, outcome }: AskedStudy, dryRun: boolean): string {
  return `${studyInstanceUid}  ${dryRun && outcome === 'asked' ? 'would be ' : ''}${EXPLAINED[outcome]}`;
}
