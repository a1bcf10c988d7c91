import { byId, h } from './dom.js';
import { t } from './language.js';

const KEYS: readonly (readonly [string, string])[] = [
  [t('help.key.down'), t('help.next')],
  [t('help.key.up'), t('help.previous')],
  [t('help.key.page'), t('help.page')],
  [t('help.key.ends'), t('help.ends')],
  [t('help.key.enter'), t('help.open')],
  ['v', t('help.viewer')],
  [t('help.key.escape'), t('help.back')],
  ['/', t('help.search')],
  ['r', t('help.read')],
  ['c', t('help.claim')],
  ['h', t('help.heat')],
  [t('help.key.zoom'), t('help.zoom')],
  ['0, 1', t('help.fit')],
  [t('help.key.arrows'), t('help.move')],
  ['a, d, u', t('help.verdicts')],
  ['?', t('help.help')],
];

export function startHelp(): HTMLDialogElement {
  const dialog = byId('help', HTMLDialogElement);
  const rows = KEYS.map(([key, what]) => h('tr', {}, h('th', { scope: 'row' }, h('kbd', {}, key)), h('td', {}, what)));
  dialog.append(
    h('h2', { id: 'help-title' }, t('help.heading')),
    h('table', {}, h('tbody', {}, ...rows)),
    h('form', { method: 'dialog' }, h('button', {}, t('help.close'))),
  );
  byId('help-button').addEventListener('click', () => dialog.showModal());
  return dialog;
}
