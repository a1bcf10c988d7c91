import { byId, h } from './dom.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['j or arrow down', 'next study'],
  ['k or arrow up', 'previous study'],
  ['Page Down, Page Up', 'a screenful further'],
  ['Home, End', 'first, last study'],
  ['Enter', 'open the study'],
  ['v', 'open it in the first viewer'],
  ['Esc', 'back to the list; out of the search'],
  ['/', 'search'],
  ['r', 'mark as read, or as unread'],
  ['c', 'claim the study, or give it back'],
  ['h', 'heat map on or off, in a study'],
  ['+ and -', 'zoom the film'],
  ['0, 1', 'fit the film; one pixel of it for each of the screen'],
  ['arrow keys', 'move a film that is zoomed'],
  ['a, d, u', 'agree, disagree, unusable: then a note, Enter keeps it'],
  ['?', 'this help'],
];

export function startHelp(): HTMLDialogElement {
  const dialog = byId('help', HTMLDialogElement);
  const rows = KEYS.map(([key, what]) => h('tr', {}, h('th', { scope: 'row' }, h('kbd', {}, key)), h('td', {}, what)));
  dialog.append(
    h('h2', { id: 'help-title' }, 'Keys'),
    h('table', {}, h('tbody', {}, ...rows)),
    h('form', { method: 'dialog' }, h('button', {}, 'Close')),
  );
  byId('help-button').addEventListener('click', () => dialog.showModal());
  return dialog;
}
