import type { ClaimAnswer, ClaimReleased, GivenRead, StudyDetail, StudyRow } from '../api/api-types.js';
import { ApiError, get, post, remove } from './api.js';
import { announce, h } from './dom.js';
import { t } from './language.js';
import { claimOf, workWords } from './words.js';

interface OpenStudy {
  readonly uid: string;
  /** As displayed last. */
  row: StudyRow;
  timer: number | undefined;
  isClaimed: boolean;
  readonly reload: () => void;
}

/** The study that is open on this page. */
let open: OpenStudy | null = null;

const path = (uid: string, what: string) => `/studies/${uid}/${what}`;

/**
 * Reading state of a study. A radiologist who opens an unread study claims it; the claim is renewed while it is open,
 * and expires otherwise.
 */
export function workPart({ row }: StudyDetail, reload: () => void): HTMLElement | null {
  // Users who may not see the patient do not read.
  if (row.patient === undefined) return null;
  const uid = row.studyInstanceUid;
  if (open?.uid === uid) open.row = row;
  else {
    leaveStudy();
    open = { uid, row, timer: undefined, isClaimed: false, reload };
    if (row.read === null) void renew(uid);
  }
  return h('p', { class: 'work', id: 'work' }, ...controls(row));
}

/**
 * Updates the reading state of the open study, and nothing else on the page. False where more has changed, or another
 * study is open.
 */
export function updateWork(row: StudyRow): boolean {
  const place = document.getElementById('work');
  if (open?.uid !== row.studyInstanceUid || place === null || besides(open.row) !== besides(row)) return false;
  open.row = row;
  const focused = document.activeElement?.id ?? '';
  place.replaceChildren(...controls(row).filter((part) => part !== null));
  if (focused !== '') document.getElementById(focused)?.focus({ preventScroll: true });
  return true;
}

const besides = (row: StudyRow): string => JSON.stringify({ ...row, claim: null, read: null });

function controls(row: StudyRow): (HTMLElement | null)[] {
  const uid = row.studyInstanceUid;
  const claim = claimOf(row);
  const isOthers = claim !== null && !claim.mine;
  const button = (id: string, words: string, act: () => Promise<unknown>) =>
    h('button', { type: 'button', id, onclick: () => void tried(act) }, words);
  const own = t(claim === null ? 'work.claim' : 'work.giveBack');
  return [
    h('span', { role: 'status', class: isOthers ? 'of-another' : null }, workWords(row)),
    isOthers ? button('take-over', t('work.takeOver'), () => take(uid, true)) : null,
    row.read !== null || isOthers
      ? null
      : button('claim', own, () => (claim === null ? take(uid, false) : releaseClaim(uid))),
    button('read', t(row.read === null ? 'work.markRead' : 'work.markUnread'), () => markRead(row)),
  ];
}

/** Called when the study is left: releases the claim of an unread study. */
export function leaveStudy(): void {
  if (open === null) return;
  clearTimeout(open.timer);
  const { uid, isClaimed } = open;
  open = null;
  // A study that was read has no claim; one that can't be released expires.
  if (isClaimed) void remove(path(uid, 'claim'), true).catch(() => undefined);
}

window.addEventListener('pagehide', leaveStudy);

/** Claims the study and renews the claim until the study is left, read, or claimed by another user. */
async function renew(uid: string): Promise<void> {
  const answer = await post<ClaimAnswer>(path(uid, 'claim')).catch(() => null);
  if (open?.uid !== uid) {
    if (answer?.claimed === true) void remove(path(uid, 'claim'), true).catch(() => undefined);
    return;
  }
  keep(uid, answer);
}

/**
 * A claim of another user, or of a study that was read, is not renewed; while the service is away it is tried again
 * after a minute.
 */
function keep(uid: string, answer: ClaimAnswer | null): void {
  if (open?.uid !== uid) return;
  clearTimeout(open.timer);
  open.isClaimed = answer?.claimed === true;
  if (answer === null || answer.claimed)
    open.timer = window.setTimeout(() => void renew(uid), (answer?.renewAfterSeconds ?? 60) * 1_000);
}

async function take(uid: string, takeOver: boolean): Promise<void> {
  const answer = await post<ClaimAnswer>(path(uid, 'claim'), { takeOver });
  const { claimed, claim } = answer;
  if (claimed) announce(t('work.claimed'));
  else announce(claim === null ? t('work.notClaimedRead') : t('work.notClaimed', { name: claim.by }));
  keep(uid, answer);
}

async function releaseClaim(uid: string): Promise<void> {
  if (open?.uid === uid) {
    clearTimeout(open.timer);
    open.isClaimed = false;
  }
  const { released } = await remove<ClaimReleased>(path(uid, 'claim'));
  announce(t(released ? 'work.givenBack' : 'work.wasNotClaimed'));
}

async function markRead({ studyInstanceUid: uid, read, completedAt }: StudyRow): Promise<void> {
  await post(path(uid, 'read'), { read: read === null, completedAt } satisfies GivenRead);
  if (open?.uid === uid && read === null) {
    clearTimeout(open.timer);
    open.isClaimed = false;
  }
  announce(t(read === null ? 'work.markedRead' : 'work.markedUnread'));
}

async function tried(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
    await look();
  } catch (error) {
    announce(t('page.notDone', { why: (error as Error).message }));
    // Another result came meanwhile: it is shown.
    if (error instanceof ApiError && error.status === 409) open?.reload();
  }
}

/** Also used where no live updates arrive. */
async function look(): Promise<void> {
  const uid = open?.uid;
  if (uid === undefined) return;
  const { row } = await get<StudyDetail>(`/studies/${uid}`);
  if (open?.uid === uid && !updateWork(row)) open.reload();
}

/** Keys r and c on a row of the list. False for other keys, and where the user does not read. */
export function actOnRow(key: string, row: StudyRow | undefined): boolean {
  if (row?.patient === undefined) return false;
  const claim = claimOf(row);
  if (key === 'r') void tried(() => markRead(row));
  else if (key !== 'c' || row.read !== null) return false;
  else
    void tried(() => (claim?.mine === true ? releaseClaim(row.studyInstanceUid) : take(row.studyInstanceUid, false)));
  return true;
}

/** The same keys on an open study, by its buttons. */
export function actOnOpen(key: string): boolean {
  const id = { r: 'read', c: 'claim' }[key];
  const button = id === undefined ? null : document.querySelector<HTMLButtonElement>(`#work #${id}`);
  button?.click();
  return button !== null;
}
