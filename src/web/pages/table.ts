import { h } from './dom.js';

/**
 * A table whose first cell in each row is its heading. One with a label can be scrolled, also by keyboard, on a narrow
 * page; a caption shows the label where no heading does.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  label?: string,
  hasCaption = false,
): HTMLElement {
  const drawn = h(
    'table',
    {},
    label === undefined || !hasCaption ? null : h('caption', {}, label),
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
  return h('div', { class: 'wide', role: 'group', tabindex: 0, 'aria-label': label }, drawn);
}
