import type { Session, StudyRow, WorkCounts } from '../api/api-types.js';
import { addressOf, CHOICES, type ColumnKey, columnsFor, type Filters, filtersOf, WORK } from './address.js';
import { get } from './api.js';
import { byId, h } from './dom.js';
import { t } from './language.js';
import { COLUMN_WORDS } from './rows.js';
import { claimOf } from './words.js';

export type { Filters } from './address.js';

type Rights = Pick<Session, 'maySeePatients'>;

/** Draws the filters by reading state and hidden studies. */
function drawWork({ maySeePatients }: Rights): void {
  const choices = WORK.filter(([value]) => maySeePatients || value !== 'mine').map(([value, words, count]) =>
    h(
      'label',
      {},
      h('input', { type: 'radio', name: 'work', value }),
      h('span', {}, t(words), count === null ? null : h('span', { class: 'number', 'data-count': count })),
    ),
  );
  const hidden = h(
    'label',
    { class: 'hidden-ones', title: t('list.hiddenTitle') },
    h('input', { type: 'checkbox', name: 'hidden', value: 'include' }),
    h('span', {}, t('list.showHidden'), h('span', { class: 'number', 'data-count': 'hidden' })),
  );
  byId('work-filter').append(...choices, hidden);
}

function drawColumns(rights: Rights): void {
  byId('column-choice').append(
    ...columnsFor(rights).map((key) =>
      h('label', {}, h('input', { type: 'checkbox', name: 'columns', value: key }), COLUMN_WORDS[key]),
    ),
  );
}

/** Shows the numbers of studies. Null, and nothing shown, where the service does not answer. */
export async function showCounts(): Promise<WorkCounts | null> {
  const counts = await get<WorkCounts>('/work').catch(() => null);
  for (const place of byId('work-filter').querySelectorAll<HTMLElement>('[data-count]'))
    place.textContent = counts === null ? '' : ` ${counts[place.dataset['count'] as keyof WorkCounts]}`;
  return counts;
}

/**
 * Shows the filters of the address. Each choice is put into the address; then `changed` is called, after a pause in
 * typing.
 */
export function startFilters(changed: () => void, rights: Rights): void {
  const form = byId('filters', HTMLFormElement);
  drawWork(rights);
  drawColumns(rights);
  for (const [name, choices] of Object.entries(CHOICES))
    (form.elements.namedItem(name) as HTMLSelectElement).append(
      ...choices.map(([value, words]) => h('option', { value }, t(words))),
    );
  showFilters(rights);
  let typesSince: string | null = null;
  const take = (isTyping: boolean) => {
    const address = location.pathname + addressOf(chosen(form, rights), rights);
    if (address === location.pathname + location.search + location.hash) return;
    // While a word is typed, the browser's history gets one entry, not one for each letter.
    if (isTyping && typesSince === location.pathname + location.search) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    typesSince = isTyping ? location.pathname + location.search : null;
    changed();
  };
  let timer: number | undefined;
  const search = byId('search');
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => take(true), 200);
  });
  search.addEventListener('blur', () => (typesSince = null));
  form.addEventListener('change', (event) => {
    if (event.target !== search && (event.target as HTMLInputElement).name !== '') take(false);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    take(true);
  });
}

/** Filters in the address, which is their only source. */
export const readFilters = (rights: Rights): Filters => filtersOf(location, rights);

/** Shows the filters of the address in the controls. */
export function showFilters(rights: Rights): void {
  const form = byId('filters', HTMLFormElement);
  const filters = readFilters(rights);
  for (const name of ['search', 'state', 'priority', 'view', 'period', 'order'] as const)
    (form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement).value = filters[name];
  for (const input of form.querySelectorAll<HTMLInputElement>('[name=work], [name=hidden], [name=columns]')) {
    const { name, value } = input;
    input.checked =
      name === 'columns' ? filters.columns.includes(value as ColumnKey) : filters[name as 'work'] === value;
  }
}

/** Filters in the controls. */
function chosen(form: HTMLFormElement, rights: Rights): Filters {
  const data = new FormData(form);
  const of = (name: string) => {
    const value = data.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const columns = new Set(data.getAll('columns'));
  return {
    search: of('search'),
    state: of('state'),
    priority: of('priority'),
    view: of('view'),
    period: of('period'),
    order: of('order'),
    work: of('work'),
    hidden: of('hidden'),
    columns: columnsFor(rights).filter((key) => columns.has(key)),
  };
}

/** Query for the service, without filters that are only for this page. */
export function queryOf(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['search', 'state', 'priority', 'view', 'order', 'work', 'hidden'] as const)
    if (filters[name] !== '') query.set(name, filters[name]);
  if (filters.period !== '') query.set('hours', filters.period);
  return query;
}

/** Whether a changed row matches the filters; null where only the service can tell (a search). */
export function fits(row: StudyRow, filters: Filters): boolean | null {
  const work = fitsWork(row, filters);
  if (work === false || (row.hidden && filters.hidden === '')) return false;
  if (filters.state !== '' && row.state !== filters.state) return false;
  if (filters.priority !== '' && row.priority !== filters.priority) return false;
  if (filters.view !== '' && !row.views.includes(filters.view)) return false;
  if (filters.period !== '' && Date.parse(row.arrivedAt) < Date.now() - Number(filters.period) * 3_600_000)
    return false;
  return filters.search === '' ? work : null;
}

/** Only the service knows the day in the site's time zone. */
function fitsWork(row: StudyRow, { work }: Filters): boolean | null {
  if (work === 'unread') return row.read === null;
  if (work === 'mine') return claimOf(row)?.mine === true;
  if (work === 'read-today') return row.read === null ? false : null;
  return true;
}

/** Order of the list: urgent first, then by arrival, as the service sorts. */
export function comparing({ order }: Filters): (a: StudyRow, b: StudyRow) => number {
  const sign = order === 'newest' ? -1 : 1;
  return (a, b) => {
    if (a.priority !== b.priority) return a.priority === 'urgent' ? -1 : 1;
    if (a.arrivedAt !== b.arrivedAt) return a.arrivedAt < b.arrivedAt ? -sign : sign;
    return a.studyInstanceUid < b.studyInstanceUid ? -1 : 1;
  };
}
