import type { DetailPage } from './detail.js';
import { byId } from './dom.js';
import type { ReadingList } from './list.js';
import { actOnOpen, actOnRow } from './work-state.js';

/** Targets of the keys. */
export interface KeyTargets {
  readonly list: ReadingList;
  readonly detail: DetailPage;
  readonly isList: boolean;
  go(place: { page: 'study'; uid: string }): void;
  back(): void;
  step(by: 1 | -1): Promise<void>;
}

/** Installs keys that work everywhere except in text fields. */
export function startKeys(pages: KeyTargets, help: HTMLDialogElement): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return;
    const target = event.target as HTMLElement;
    const acted = isWriting(target) ? leaveField(event.key, target, pages) : act(event.key, target, pages, help);
    if (acted) event.preventDefault();
  });
}

function isWriting(target: HTMLElement): boolean {
  return target.matches('textarea, select, input:not([type=checkbox], [type=range])');
}

function leaveField(key: string, target: HTMLElement, pages: KeyTargets): boolean {
  if (key !== 'Escape' && !(key === 'Enter' && target.id === 'search')) return false;
  target.blur();
  if (pages.isList) pages.list.grid.move(0);
  return key === 'Escape';
}

function act(key: string, target: HTMLElement, pages: KeyTargets, help: HTMLDialogElement): boolean {
  if (key === '?') return (help.showModal(), true);
  if (key === '/') return pages.isList ? (byId('search').focus(), true) : false;
  const inRange = target.matches('input[type=range]');
  return pages.isList ? actOnList(key, target, pages) : actOnStudy(key, inRange, pages);
}

function actOnList(key: string, target: HTMLElement, pages: KeyTargets): boolean {
  const { grid } = pages.list;
  const steps: Readonly<Record<string, number>> = {
    j: 1,
    ArrowDown: 1,
    k: -1,
    ArrowUp: -1,
    PageDown: grid.pageRows,
    PageUp: -grid.pageRows,
    Home: -Infinity,
    End: Infinity,
  };
  const by = steps[key];
  if (by !== undefined) return (grid.move(by), true);
  if (key === 'v') {
    const link =
      grid.selected === null
        ? null
        : document.querySelector<HTMLAnchorElement>(`[data-uid="${grid.selected}"] .open a`);
    link?.click();
    return link !== null;
  }
  if (key === 'r' || key === 'c') return actOnSelected(key, pages.list.grid);
  // On a button or link, Enter has its own function.
  if (key !== 'Enter' || target.matches('button, a, summary') || grid.selected === null) return false;
  pages.go({ page: 'study', uid: grid.selected });
  return true;
}

/** A study that is marked as read may leave the list: then the next one is selected. */
function actOnSelected(key: string, grid: ReadingList['grid']): boolean {
  const { selectedRow: row } = grid;
  const next =
    row === undefined ? null : (grid.neighbour(row.studyInstanceUid, 1) ?? grid.neighbour(row.studyInstanceUid, -1));
  if (!actOnRow(key, row)) return false;
  if (key === 'r' && next !== null) grid.select(next, true);
  return true;
}

function actOnStudy(key: string, inRange: boolean, pages: KeyTargets): boolean {
  if (key === 'Escape') return (pages.back(), true);
  if (pages.detail.shown === null) return false;
  if (key === 'j' || key === 'k') return (void pages.step(key === 'j' ? 1 : -1), true);
  if (key === 'r' || key === 'c') return actOnOpen(key);
  if (key === 'v') {
    const link = document.querySelector<HTMLAnchorElement>('#detail-page .viewer');
    link?.click();
    return link !== null;
  }
  // On a slider, the arrow keys have their own function.
  if (inRange && key.startsWith('Arrow')) return false;
  if (key !== 'h') return pages.detail.press(key);
  if (inRange) return false;
  for (const slider of document.querySelectorAll<HTMLInputElement>('#detail-page input.opacity')) {
    slider.value = slider.value === '0' ? '50' : '0';
    slider.dispatchEvent(new Event('input'));
  }
  return true;
}
