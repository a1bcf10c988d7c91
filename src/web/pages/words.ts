import type { ListState, ListVerdict, RowClaim, StudyRow } from '../api/api-types.js';

/** All that a page says of a state. What is not analysed or failed always says why. */
const STATES: Readonly<Record<ListState, string>> = {
  waiting: 'Waiting',
  analysing: 'Analysing',
  done: 'Analysed',
  'not-analysed': 'Not analysed',
  failed: 'Failed',
};

export const VERDICT_WORDS: Readonly<Record<ListVerdict, string>> = {
  agree: 'Agree',
  disagree: 'Disagree',
  unusable: 'Unusable',
};

export function stateWords({ state, reason, retryAt }: StudyRow): string {
  if (state === 'not-analysed' || state === 'failed')
    return `${STATES[state]} because ${reason === null ? 'the reason was not recorded' : reasonWords(reason)}`;
  if (state === 'waiting' && retryAt !== null && reason !== null)
    return `Waiting, tried again at ${clock(retryAt)}: ${reasonWords(reason)}`;
  return STATES[state];
}

export const stateName = (state: ListState): string => STATES[state];

function reasonWords({ code, text }: { code: string; text: string }): string {
  return text === '' ? code : text;
}

/** The claim of a row, unless its time is over. */
export function claimOf({ claim }: Pick<StudyRow, 'claim'>): RowClaim | null {
  return claim !== null && Date.parse(claim.until) > Date.now() ? claim : null;
}

/** What became of the reading of a study. Until there is a result it waits, and may be read all the same. */
export function workWords(row: StudyRow): string {
  const { read } = row;
  const claim = claimOf(row);
  if (read !== null) return `Read ${shortTime(read.at)}${readBy(read)}`;
  if (claim !== null) return claim.mine ? 'Being read by you' : `Being read by ${claim.by}`;
  return 'Unread';
}

function readBy({ how, by }: NonNullable<StudyRow['read']>): string {
  if (how === 'ris') return ', reported in the RIS';
  return by === null ? '' : ` by ${by}`;
}

/** 14:05 today, 2026-01-31 14:05 on another day; in the site's time zone. */
function shortTime(iso: string): string {
  const text = dateTime(iso).slice(0, -3);
  const [today] = dateTime(new Date().toISOString()).split(' ');
  return text.startsWith(today!) ? text.slice(11) : text;
}

/** The result in one sentence; never that something is absent. */
export function resultWords(row: StudyRow): string {
  const { result } = row;
  if (result === null) return stateWords(row);
  return `Probability ${result.probabilityText} %, ${result.relation}`;
}

export function urgentWords({ urgentBy }: StudyRow): string {
  const by = urgentBy.map((source) => ({ order: 'the order', finding: 'the finding', person: 'a person' })[source]);
  return by.length === 0 ? 'Routine' : `Urgent by ${by.join(' and ')}`;
}

/** 40 s, 12 min, 3 h 5 min, 2 d 4 h */
export function duration(milliseconds: number): string {
  const minutes = Math.floor(Math.max(0, milliseconds) / 60_000);
  if (minutes < 1) return `${Math.floor(Math.max(0, milliseconds) / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

export const since = (iso: string): string => duration(Date.now() - Date.parse(iso));

const formatIn = (timeZone?: string) =>
  new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });

let format = formatIn();

/**
 * All times are shown in this time zone from now on, whichever the reader's machine has; where the browser does not
 * know it, in UTC. Answers the name of the one that is used.
 * @param name IANA
 */
export function useTimeZone(name: string): string {
  try {
    format = formatIn(name);
  } catch {
    format = formatIn('UTC');
  }
  return timeZone();
}

const timeZone = (): string => format.resolvedOptions().timeZone;

/** In the site's time zone: 14:05:09 */
const clock = (iso: string): string => dateTime(iso).slice(11);

/** In the site's time zone: 2026-01-31 14:05:09 */
export function dateTime(iso: string): string {
  const parts = format.formatToParts(new Date(iso));
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')}`;
}

/** 2026-01-31 14:05:09 (Europe/Berlin) */
export const zonedTime = (iso: string): string => `${dateTime(iso)} (${timeZone()})`;

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
