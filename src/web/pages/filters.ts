import type { StudyRow } from '../api/api-types.js';
import { byId, h } from './dom.js';

/** What is asked for; '' is all. */
export interface Filters {
  readonly search: string;
  readonly state: string;
  readonly priority: string;
  readonly view: string;
  readonly period: string;
  readonly order: string;
}

const CHOICES: Readonly<
  Record<Exclude<keyof Filters, 'search'>, readonly (readonly [value: string, words: string])[]>
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

/** Puts the choices in place. `changed` is called once typing has paused. */
export function startFilters(changed: () => void): void {
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
  };
}

export function queryOf(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['search', 'state', 'priority', 'view', 'order'] as const)
    if (filters[name] !== '') query.set(name, filters[name]);
  if (filters.period !== '') query.set('hours', filters.period);
  return query;
}

/**
 * Whether a row that has just changed belongs to what is asked for; null where only the service can tell (a search).
 */
export function fits(row: StudyRow, filters: Filters): boolean | null {
  if (filters.state !== '' && row.state !== filters.state) return false;
  if (filters.priority !== '' && row.priority !== filters.priority) return false;
  if (filters.view !== '' && !row.views.includes(filters.view)) return false;
  if (filters.period !== '' && Date.parse(row.arrivedAt) < Date.now() - Number(filters.period) * 3_600_000)
    return false;
  return filters.search === '' ? true : null;
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
