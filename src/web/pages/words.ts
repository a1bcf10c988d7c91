import type { ListState, RowClaim, StudyRow } from '../api/api-types.js';
import { figure, language, listed, named, t } from './language.js';

/** Text of a study's state, with the reason where it was not analysed or failed. */
export function stateWords({ state, reason, retryAt, inShadow }: StudyRow): string {
  if (state === 'done' && inShadow) return t('result.inShadow');
  const why = reason === null ? t('film.reasonUnknown') : reasonWords(reason);
  if (state === 'not-analysed' || state === 'failed')
    return t('state.because', { state: stateName(state), reason: why });
  if (state === 'waiting' && retryAt !== null && reason !== null)
    return t('state.retry', { at: clock(retryAt), reason: why });
  return stateName(state);
}

export const stateName = (state: ListState): string => t(`state.${state}`);

/** @param text the service's sentence, shown for a reason that this page does not know */
export function reasonWords({ code, text }: { readonly code: string; readonly text: string }): string {
  const words = named('reason', code);
  return words === code && text !== '' ? text : words;
}

/** `frontal, PA`: the view by the network in the reader's language, that of the film's header unchanged. */
export const viewWords = (view: string): string =>
  view
    .split(', ')
    .map((word) => named('view', word))
    .join(', ');

/** The claim of a row, unless it has expired. */
export function claimOf({ claim }: Pick<StudyRow, 'claim'>): RowClaim | null {
  return claim !== null && Date.parse(claim.until) > Date.now() ? claim : null;
}

/** Reading state of a study. Without a result it waits, and may be read all the same. */
export function workWords(row: StudyRow): string {
  const { read } = row;
  const claim = claimOf(row);
  if (read !== null) return readWords(read);
  if (claim !== null) return claim.mine ? t('work.byYou') : t('work.byAnother', { name: claim.by });
  return t('work.unread');
}

function readWords({ at, how, by }: NonNullable<StudyRow['read']>): string {
  const when = { at: shortTime(at) };
  if (how === 'ris') return t('work.readByRis', when);
  return by === null ? t('work.read', when) : t('work.readBy', { ...when, name: by });
}

/** 14:05 today, with the date on other days; in the site's time zone. */
function shortTime(iso: string): string {
  const time = clock(iso).slice(0, -3);
  return day(iso) === day(new Date().toISOString()) ? time : `${day(iso)} ${time}`;
}

/** The result in one sentence, which never says that a finding is absent. */
export function resultWords(row: StudyRow): string {
  const { result } = row;
  if (result === null) return stateWords(row);
  const relation = t(result.reached ? 'result.reached' : 'result.below', { point: figure(result.thresholdText) });
  return t('result.sentence', { probability: figure(result.probabilityText), relation });
}

export function urgentWords({ urgentBy }: StudyRow): string {
  const sources = listed(urgentBy.map((source) => t(`urgent.${source}`)));
  return urgentBy.length === 0 ? t('priority.routine') : t('urgent.by', { sources });
}

/** 40 s, 12 min, 3 h 5 min, 2 d 4 h */
export function duration(milliseconds: number): string {
  const minutes = Math.floor(Math.max(0, milliseconds) / 60_000);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return t('duration.seconds', { seconds: Math.floor(Math.max(0, milliseconds) / 1000) });
  if (minutes < 60) return t('duration.minutes', { minutes });
  if (minutes < 1440) return t('duration.hours', { hours, minutes: minutes % 60 });
  return t('duration.days', { days: Math.floor(hours / 24), hours: hours % 24 });
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
 * Sets the time zone of all times shown, whatever the machine's; UTC where the browser does not know it. Returns the
 * name of the one used.
 * @param name IANA name
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

/** Parts of a time in the site's time zone. */
function partsOf(iso: string): (type: Intl.DateTimeFormatPartTypes) => string {
  const parts = format.formatToParts(new Date(iso));
  return (type) => parts.find((part) => part.type === type)?.value ?? '';
}

/** Time in the site's time zone: 14:05:09, in each language. */
export function clock(iso: string): string {
  const of = partsOf(iso);
  return `${of('hour')}:${of('minute')}:${of('second')}`;
}

/** Date in the site's time zone, formatted by {@link dateWords}. */
export function day(iso: string): string {
  const of = partsOf(iso);
  return dateWords(`${of('year').padStart(4, '0')}-${of('month')}-${of('day')}`);
}

/**
 * A date in the format of the language, 31.01.2026 or 31/01/2026; in English, which has several, ISO 8601.
 * @param date YYYY-MM-DD; '' stays ''
 */
export function dateWords(date: string): string {
  if (language === 'en' || date === '') return date;
  const written = { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(language, written).format(new Date(date));
}

/** In the site's time zone: 2026-01-31 14:05:09 */
export const dateTime = (iso: string): string => `${day(iso)} ${clock(iso)}`;

/** 2026-01-31 14:05:09 (Europe/Berlin) */
export const zonedTime = (iso: string): string => `${dateTime(iso)} (${timeZone()})`;

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
