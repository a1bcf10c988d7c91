import type { ListState, RowClaim, StudyRow } from '../api/api-types.js';
import { figure, listed, named, t } from './language.js';

/** All that a page says of a state. What is not analysed or failed always says why. */
export function stateWords({ state, reason, retryAt }: StudyRow): string {
  const why = reason === null ? t('film.reasonUnknown') : reasonWords(reason);
  if (state === 'not-analysed' || state === 'failed')
    return t('state.because', { state: stateName(state), reason: why });
  if (state === 'waiting' && retryAt !== null && reason !== null)
    return t('state.retry', { at: clock(retryAt), reason: why });
  return stateName(state);
}

export const stateName = (state: ListState): string => t(`state.${state}`);

/** @param text the service's own sentence: what a reason that this page does not know is told by */
export function reasonWords({ code, text }: { readonly code: string; readonly text: string }): string {
  const words = named('reason', code);
  return words === code && text !== '' ? text : words;
}

/** `frontal, PA`: the view that the network saw in the reader's language, what the film's header says as it is. */
export const viewWords = (view: string): string =>
  view
    .split(', ')
    .map((word) => named('view', word))
    .join(', ');

/** The claim of a row, unless its time is over. */
export function claimOf({ claim }: Pick<StudyRow, 'claim'>): RowClaim | null {
  return claim !== null && Date.parse(claim.until) > Date.now() ? claim : null;
}

/** What became of the reading of a study. Until there is a result it waits, and may be read all the same. */
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

/** 14:05 today, 2026-01-31 14:05 on another day; in the reader's time zone. */
function shortTime(iso: string): string {
  const text = dateTime(iso).slice(0, -3);
  const [today] = dateTime(new Date().toISOString()).split(' ');
  return text.startsWith(today!) ? text.slice(11) : text;
}

/** The result in one sentence; never that something is absent. */
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
  if (minutes < 1) return `${Math.floor(Math.max(0, milliseconds) / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

export const since = (iso: string): string => duration(Date.now() - Date.parse(iso));

const two = (value: number) => String(value).padStart(2, '0');

/** In the reader's time zone: 14:05:09 */
function clock(iso: string): string {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** 2026-01-31 14:05:09 */
export function dateTime(iso: string): string {
  const at = new Date(iso);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(iso)}`;
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
