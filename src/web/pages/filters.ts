import type { StudyRow, WorkCounts } from '../api/api-types.js';
import { get } from './api.js';
import { byId, h } from './dom.js';
import { claimOf } from './words.js';

/** What is asked for; '' is all. */
export interface Filters {
  readonly search: string;
  readonly state: string;
  readonly priority: string;
  readonly view: string;
  readonly period: string;
  readonly order: string;
  /** unread, mine, read-today, all */
  readonly work: string;
  /** `include`: also radiographs of something else than the chest. */
  readonly hidden: string;
}

const CHOICES: Readonly<
  Record<Exclude<keyof Filters, 'search' | 'work' | 'hidden'>, readonly (readonly [value: string, words: string])[]>
> = {
  state: [
    ['', 'All'],
    ['waiting', 'Waiting'],
    ['analysing', 'Analysing'],
    ['done', 'Analysed'],
    ['not-analysed', 'Not analysed'],
    ['failed', 'Failed'],
  ],
  priority: [
    ['', 'All'],
    ['urgent', 'Urgent'],
    ['routine', 'Routine'],
  ],
  view: [
    ['', 'All'],
    ['frontal', 'Frontal'],
    ['lateral', 'Lateral'],
  ],
  period: [
    ['', 'Any time'],
    ['1', 'Last hour'],
    ['24', 'Last day'],
    ['168', 'Last week'],
  ],
  order: [
    ['oldest', 'Longest wait first'],
    ['newest', 'Newest first'],
  ],
};

const WORK: readonly (readonly [value: string, words: string, count: keyof WorkCounts | null])[] = [
  ['unread', 'Unread', 'unread'],
  ['mine', 'Mine', 'mine'],
  ['read-today', 'Read today', 'readToday'],
  ['all', 'All', null],
];

/** What is to be read first; whoever reads nothing sees all. */
function startWork(changed: () => void, mayRead: boolean): void {
  const choices = WORK.map(([value, words, count]) =>
    h(
      'label',
      {},
      h('input', { type: 'radio', name: 'work', value, checked: value === (mayRead ? 'unread' : 'all') }),
      h('span', {}, words, count === null ? null : h('span', { class: 'number', 'data-count': count })),
    ),
  );
  const hidden = h(
    'label',
    { class: 'hidden-ones', title: 'Radiographs of something else than the chest, by their headers' },
    h('input', { type: 'checkbox', name: 'hidden', value: 'include' }),
    h('span', {}, 'Show hidden', h('span', { class: 'number', 'data-count': 'hidden' })),
  );
  const place = byId('work-filter');
  place.append(...(mayRead ? choices : choices.filter((_, i) => WORK[i]![0] !== 'mine')), hidden);
  place.addEventListener('change', changed);
}

/** How many there are of each. Where the service does not say, nothing is shown. */
export async function showCounts(): Promise<void> {
  const counts = await get<WorkCounts>('/work').catch(() => null);
  for (const place of byId('work-filter').querySelectorAll<HTMLElement>('[data-count]'))
    place.textContent = counts === null ? '' : ` ${counts[place.dataset['count'] as keyof WorkCounts]}`;
}

/** Puts the choices in place. `changed` is called once typing has paused. */
export function startFilters(changed: () => void, mayRead: boolean): void {
  startWork(changed, mayRead);
  const form = byId('filters', HTMLFormElement);
  for (const [name, choices] of Object.entries(CHOICES)) {
    const select = form.elements.namedItem(name) as HTMLSelectElement;
    select.append(...choices.map(([value, words]) => h('option', { value }, words)));
    select.addEventListener('change', changed);
  }
  let timer: number | undefined;
  byId('search').addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(changed, 200);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    changed();
  });
}

export function readFilters(): Filters {
  const data = new FormData(byId('filters', HTMLFormElement));
  const of = (name: string) => {
    const value = data.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  return {
    search: of('search'),
    state: of('state'),
    priority: of('priority'),
    view: of('view'),
    period: of('period'),
    order: of('order') || 'oldest',
    work: of('work') || 'all',
    hidden: of('hidden'),
  };
}

export function queryOf(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['search', 'state', 'priority', 'view', 'order', 'work', 'hidden'] as const)
    if (filters[name] !== '') query.set(name, filters[name]);
  if (filters.period !== '') query.set('hours', filters.period);
  return query;
}

/**
 * Whether a row that has just changed belongs to what is asked for; null where only the service can tell (a search).
 */
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

/** The day of the site's time zone is the service's to know. */
function fitsWork(row: StudyRow, { work }: Filters): boolean | null {
  if (work === 'unread') return row.read === null;
  if (work === 'mine') return claimOf(row)?.mine === true;
  if (work === 'read-today') return row.read === null ? false : null;
  return true;
}

/** The list's order: urgent first, then by arrival, as the service sorts. */
export function comparing({ order }: Filters): (a: StudyRow, b: StudyRow) => number {
  const sign = order === 'newest' ? -1 : 1;
  return (a, b) => {
    if (a.priority !== b.priority) return a.priority === 'urgent' ? -1 : 1;
    if (a.arrivedAt !== b.arrivedAt) return a.arrivedAt < b.arrivedAt ? -sign : sign;
    return a.studyInstanceUid < b.studyInstanceUid ? -1 : 1;
  };
}
