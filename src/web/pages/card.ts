import { h } from './dom.js';
import { t } from './language.js';

/**
 * Renders the Markdown of a model card (headings, paragraphs, lists, tables, bold, code) as elements; anything else
 * stays text.
 */
export function renderCard(text: string): HTMLElement {
  const card = h('div', { class: 'card', lang: 'en' });
  const blocks = text
    .replace(/<!--[\s\S]*?-->/g, '')
    .split(/\n\s*\n/)
    .map((block) => block.trim())
    .filter((block) => block !== '');
  for (const block of blocks) card.append(renderBlock(block));
  return card;
}

function renderBlock(block: string): HTMLElement {
  const lines = block.split('\n');
  const heading = /^(#{1,4})\s+(.*)$/.exec(lines[0]!);
  // Headings of the card begin below the page's own, so that the page has one first-level heading.
  if (heading !== null && lines.length === 1)
    return h(heading[1]!.length === 1 ? 'h4' : 'h5', {}, ...inline(heading[2]!));
  if (lines.every((line) => line.startsWith('|'))) return table(lines);
  if (lines.every((line) => /^(- |\s)/.test(line))) return list(lines);
  return h('p', {}, ...inline(lines.join(' ')));
}

function list(lines: readonly string[]): HTMLElement {
  const items: string[] = [];
  for (const line of lines) {
    if (line.startsWith('- ')) items.push(line.slice(2));
    else if (items.length > 0) items.push(`${items.pop()!} ${line.trim()}`);
  }
  return h('ul', {}, ...items.map((item) => h('li', {}, ...inline(item))));
}

function table(lines: readonly string[]): HTMLElement {
  const cells = (line: string) =>
    line
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((text) => text.trim());
  const [head, ...body] = lines.filter((line) => !/^\|[\s|:-]+$/.test(line));
  const rows = body.map((line) => h('tr', {}, ...cells(line).map((text) => h('td', {}, ...inline(text)))));
  const columns = h('tr', {}, ...cells(head!).map((text) => h('th', { scope: 'col' }, ...inline(text))));
  // It may be wider than the screen, so that it scrolls by itself, also by keyboard.
  return h(
    'div',
    { class: 'table', role: 'region', tabindex: 0, 'aria-label': t('models.table') },
    h('table', {}, h('thead', {}, columns), h('tbody', {}, ...rows)),
  );
}

function inline(text: string): (Node | string)[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => {
    if (/^\*\*.+\*\*$/.test(part)) return h('strong', {}, part.slice(2, -2));
    return /^`.+`$/.test(part) ? h('code', {}, part.slice(1, -1)) : part;
  });
}
