import { h } from './dom.js';

/** The first cell of each row names it. Where the page is too narrow the table is moved by itself, by keys too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], label?: string): HTMLElement {
  const drawn = h(
    'table',
    {},
    label === undefined ? null : h('caption', {}, label),
    h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))),
    h(
      'tbody',
      {},
      ...rows.map(([first, ...rest]) =>
        h('tr', {}, h('th', { scope: 'row' }, first ?? ''), ...rest.map((text) => h('td', {}, text))),
      ),
    ),
  );
  if (label === undefined) return drawn;
  return h('div', { class: 'wide', role: 'region', tabindex: 0, 'aria-label': label }, drawn);
}
