import { openArchive, type ReanalysisTarget, reportedStudies } from '../app/archive';
import { openList } from '../app/list';
import { describeError, HilumError } from '../base/errors';
import { createLog } from '../base/log';
import { readConfig } from '../config/config';
import type { Uid } from '../dicom/uid';
import { rebuildRecord } from '../worklist/rebuild';

export interface RebuildOptions {
  readonly target: ReanalysisTarget;
  readonly config: string;
  /** Read studies again that the list has a result of. */
  readonly again: boolean;
  readonly json: boolean;
}

type Outcome = 'written' | 'known' | 'no-report' | 'failed';
const EXPLAINED: Readonly<Record<Outcome, string>> = {
  written: 'written',
  known: 'has its result already',
  'no-report': 'has no report of Hilum',
  failed: 'could not be read',
};

/**
 * Fills the reading list from the reports in the archive, study by study: what is there stays, and so do verdicts.
 * Ended at any time it goes on where it was. Resolves to 1 when a study could not be read.
 */
export async function rebuild({ target, config: path, again, json }: RebuildOptions): Promise<number> {
  const config = readConfig(path);
  const archive = openArchive(config);
  const list = openList({ list: { ...config.list, enabled: true } }, archive, createLog('silent'))!;
  const counts: Record<Outcome, number> = { written: 0, known: 0, 'no-report': 0, failed: 0 };
  const one = async (study: Uid): Promise<Outcome> => {
    if (!again && (await list.worklist.hasResult(study))) return 'known';
    const record = await rebuildRecord(study, archive);
    if (record === null) return 'no-report';
    return (await list.worklist.record(record)) ? 'written' : 'known';
  };
  try {
    await list.database.ready();
    for await (const study of reportedStudies(archive, target)) {
      const outcome = await one(study).catch((error: unknown) => failed(study, error));
      counts[outcome]++;
      if (json) say(JSON.stringify({ studyInstanceUid: study, outcome }));
    }
  } finally {
    if (!json)
      for (const outcome of Object.keys(counts) as Outcome[])
        say(`${String(counts[outcome]).padStart(7)}  ${EXPLAINED[outcome]}`);
    await list.database.close();
    await archive.close();
  }
  return counts.failed === 0 ? 0 : 1;
}

/** One study that the archive refuses is told and left out; a database or an archive that is away ends it all. */
function failed(study: Uid, error: unknown): Outcome {
  if (!(error instanceof HilumError) || error.lasting !== 'permanent' || error.code.startsWith('DATABASE')) throw error;
  process.stderr.write(`hilum: ${study}: ${describeError(error)}\n`);
  return 'failed';
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
