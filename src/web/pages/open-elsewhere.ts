import type { OpenElsewhere, StudyDetail } from '../api/api-types.js';
import { ApiError, post, remove } from './api.js';
import { h } from './dom.js';
import { t } from './language.js';

/** Id of this page among all open ones. */
const PAGE = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
/** Delay before another attempt while the service is away (seconds). */
const AGAIN_S = 30;

interface Shown {
  readonly uid: string;
  readonly place: HTMLElement;
  timer: number | undefined;
}

let shown: Shown | null = null;

/** Other pages of this browser learn at once that a study was opened or left; those of others at their next renewal. */
const pages = new BroadcastChannel('hilum.open');
pages.addEventListener('message', ({ data }) => {
  if (shown !== null && data === shown.uid) void renew(shown);
});

/** Shows who has the study open on another page, also the user's own, and registers this page. */
export function elsewherePart({ row }: StudyDetail): HTMLElement | null {
  if (row.patient === undefined) return null;
  if (shown?.uid === row.studyInstanceUid) return shown.place;
  leaveOpen();
  const uid = row.studyInstanceUid;
  shown = { uid, place: h('p', { id: 'elsewhere', class: 'elsewhere', role: 'status' }), timer: undefined };
  void renew(shown).then(() => pages.postMessage(uid));
  return shown.place;
}

async function renew(of: Shown): Promise<void> {
  clearTimeout(of.timer);
  const answer = await post<OpenElsewhere>(`/studies/${of.uid}/open`, { page: PAGE }).catch((error: unknown) =>
    error instanceof ApiError && error.status === 404 ? undefined : null,
  );
  // The study was left meanwhile: the registration is removed.
  if (shown?.uid !== of.uid) return void close(of.uid);
  if (shown !== of) return;
  clearTimeout(of.timer);
  if (answer === undefined) return;
  of.timer = window.setTimeout(() => void renew(of), (answer?.renewAfterSeconds ?? AGAIN_S) * 1_000);
  if (answer !== null) tell(of.place, answer);
}

function tell(place: HTMLElement, { others }: OpenElsewhere): void {
  const names = others.map(({ by, mine }) => (mine ? t('elsewhere.you') : by));
  const words = names.length === 0 ? '' : t('elsewhere.open', { names: names.join('; ') });
  if (place.textContent !== words) place.textContent = words;
}

/** Called when the study is left. */
export function leaveOpen(): void {
  if (shown === null) return;
  clearTimeout(shown.timer);
  const { uid } = shown;
  shown = null;
  void close(uid);
}

async function close(uid: string): Promise<void> {
  // A registration that can't be removed expires.
  await remove(`/studies/${uid}/open/${PAGE}`, true).catch(() => undefined);
  pages.postMessage(uid);
}

window.addEventListener('pagehide', leaveOpen);
