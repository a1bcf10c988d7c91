import { openArchive } from '../app/archive';
import { type AskedStudy, openReanalysis, type ReanalysisTarget } from '../app/catch-up';
import { createLog } from '../base/log';
import { readConfig } from '../config/config';
import { tryParseUid, type Uid } from '../dicom/uid';
import { connectBroker } from '../queue/broker';

export interface ReanalyzeOptions {
  readonly target: ReanalysisTarget;
  readonly config: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const BROKER_WAIT_MS = 10_000;
const EXPLAINED: Readonly<Record<AskedStudy['outcome'], string>> = {
  asked: 'asked for',
  'not-found': 'not in the archive',
  'no-film': 'has neither CR nor DX',
};

/**
 * Asks the service to analyse studies anew. Resolves to 1 when a study that was named is not in the archive or has no
 * film.
 */
export async function reanalyze({ target, config: path, dryRun, json }: ReanalyzeOptions): Promise<number> {
  const config = readConfig(path);
  const archive = openArchive(config);
  const broker = dryRun ? null : connectBroker(config.broker, createLog('silent'));
  let [asked, wrong] = [0, 0];
  try {
    await broker?.ready(BROKER_WAIT_MS);
    const tellFull = (waiting: number) =>
      process.stderr.write(`hilum: ${waiting} studies wait to be worked on; going on when there is room\n`);
    for await (const study of openReanalysis(config, archive, broker, tellFull)(target)) {
      if (study.outcome === 'asked') asked++;
      else wrong++;
      // Said at once, one by one: whatever happens to the rest, this one is done.
      say(json ? JSON.stringify({ ...study, dryRun }) : describe(study, dryRun));
    }
  } finally {
    if (!json) say(`${asked} ${asked === 1 ? 'study' : 'studies'} ${dryRun ? 'would be ' : ''}asked for`);
    await broker?.stop(0);
    await archive.close();
  }
  return wrong === 0 ? 0 : 1;
}

function describe({ studyInstanceUid, outcome }: AskedStudy, dryRun: boolean): string {
  return `${studyInstanceUid}  ${dryRun && outcome === 'asked' ? 'would be ' : ''}${EXPLAINED[outcome]}`;
}

/**
 * What the command line asks for, or one sentence about what is wrong with it.
 * @param today without `until`, days up to tomorrow count, for modalities whose clock is ahead
 */
export function readTarget(
  uids: readonly string[],
  since: string | undefined,
  until: string | undefined,
  today: Date,
): ReanalysisTarget | string {
  if (uids.length > 0)
    return since === undefined && until === undefined
      ? readStudies(uids)
      : 'give Study Instance UIDs or --since, not both';
  if (since === undefined) return 'reanalyze needs Study Instance UIDs or --since YYYY-MM-DD';
  const from = readDay(since);
  const to =
    until === undefined ? new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1) : readDay(until);
  if (from === null) return `--since ${since} is no date (YYYY-MM-DD)`;
  if (to === null) return `--until ${until} is no date (YYYY-MM-DD)`;
  return from > to ? `there is no day from --since ${since} to ${until ?? 'today'}` : { from, to };
}

function readStudies(uids: readonly string[]): ReanalysisTarget | string {
  const wrong = uids.find((uid) => tryParseUid(uid) === undefined);
  return wrong === undefined
    ? { studies: uids.map((uid) => tryParseUid(uid) as Uid) }
    : `${wrong} is no Study Instance UID`;
}

/** A day of the calendar, from 1900 on; null for anything else, the 30th of February included. */
function readDay(text: string): Date | null {
  const [year, month, date] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).slice(1).map(Number);
  if (year === undefined || month === undefined || date === undefined || year < 1900) return null;
  const day = new Date(year, month - 1, date);
  return day.getMonth() === month - 1 && day.getDate() === date ? day : null;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
