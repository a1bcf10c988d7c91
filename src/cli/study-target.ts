import type { ReanalysisTarget } from '../app/catch-up';
import { note } from './command';
import { tryParseUid, type Uid } from '../dicom/uid';

/**
 * The studies that the command line selects, or one sentence about what is wrong with the options.
 * @param today without `until`, days up to tomorrow are searched, for modalities whose clock is ahead
 */
export function readTarget(
  uids: readonly string[],
  since: string | undefined,
  until: string | undefined,
  today: Date,
  undated = false,
): ReanalysisTarget | string {
  const hasDays = since !== undefined || until !== undefined;
  if (undated) return uids.length > 0 || hasDays ? 'give --undated alone' : { undated: true };
  if (uids.length > 0) return hasDays ? 'give Study Instance UIDs or --since, not both' : readStudies(uids);
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

/** A date from 1900 on; null for anything else, such as 30 February. */
function readDay(text: string): Date | null {
  const [year, month, date] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).slice(1).map(Number);
  if (year === undefined || month === undefined || date === undefined || year < 1900) return null;
  const day = new Date(year, month - 1, date);
  return day.getMonth() === month - 1 && day.getDate() === date ? day : null;
}

/** Prints how many studies a search by days has left out. */
export function noteUndated(studies: number | null): void {
  if (studies === null) note('the archive does not let studies without a Study Date be counted');
  else if (studies > 0)
    note(
      `${studies} ${studies === 1 ? 'study has' : 'studies have'} no Study Date, so no search by days finds them: ` +
        '--undated takes them',
    );
}
