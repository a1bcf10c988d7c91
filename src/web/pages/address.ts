import type { ListView, Session, WorkCounts } from '../api/api-types.js';
import type { PlainKey } from './say.js';

/** A column that can be shown or hidden; the result, with the research notice, is always shown. */
export type ColumnKey = NonNullable<ListView['columns']>[number];

/** Filters, order and columns; '' stands for all. */
export interface Filters {
  readonly search: string;
  readonly state: string;
  readonly priority: string;
  readonly view: string;
  readonly period: string;
  readonly order: string;
  /** unread, mine, read-today, all */
  readonly work: string;
  /** `include`: also radiographs of other body parts. */
  readonly hidden: string;
  readonly columns: readonly ColumnKey[];
}

type Choice = readonly (readonly [value: string, words: PlainKey])[];

export const CHOICES: Readonly<Record<'state' | 'priority' | 'view' | 'period' | 'order', Choice>> = {
  state: [
    ['', 'list.choice.all'],
    ['waiting', 'state.waiting'],
    ['analysing', 'state.analysing'],
    ['done', 'state.done'],
    ['not-analysed', 'state.not-analysed'],
    ['failed', 'state.failed'],
  ],
  priority: [
    ['', 'list.choice.all'],
    ['urgent', 'priority.urgent'],
    ['routine', 'priority.routine'],
  ],
  view: [
    ['', 'list.choice.all'],
    ['frontal', 'list.choice.frontal'],
    ['lateral', 'list.choice.lateral'],
  ],
  period: [
    ['', 'list.choice.anyTime'],
    ['1', 'list.choice.lastHour'],
    ['24', 'list.choice.lastDay'],
    ['168', 'list.choice.lastWeek'],
  ],
  order: [
    ['oldest', 'list.choice.oldest'],
    ['newest', 'list.choice.newest'],
  ],
};

export const WORK: readonly (readonly [value: string, words: PlainKey, count: keyof WorkCounts | null])[] = [
  ['unread', 'list.work.unread', 'unread'],
  ['mine', 'list.work.mine', 'mine'],
  ['read-today', 'list.work.readToday', 'readToday'],
  ['all', 'list.choice.all', null],
];

/** Columns in the order of display; those about a patient are for users who may see patients. */
const COLUMNS: readonly { readonly key: ColumnKey; readonly isUsual: boolean; readonly ofPatient: boolean }[] = [
  { key: 'priority', isUsual: true, ofPatient: false },
  { key: 'film', isUsual: true, ofPatient: true },
  { key: 'patient', isUsual: true, ofPatient: true },
  { key: 'view', isUsual: true, ofPatient: false },
  { key: 'waiting', isUsual: true, ofPatient: false },
  { key: 'arrived', isUsual: false, ofPatient: false },
  { key: 'open', isUsual: true, ofPatient: true },
];

type Rights = Pick<Session, 'maySeePatients'>;

/** Columns that a user may choose from. */
export function columnsFor({ maySeePatients }: Rights): readonly ColumnKey[] {
  return COLUMNS.filter(({ ofPatient }) => maySeePatients || !ofPatient).map(({ key }) => key);
}

/** Filters at the start: users who read films see the unread studies, others see all. */
function usualFilters(rights: Rights): Filters {
  const usual = new Set(COLUMNS.filter(({ isUsual }) => isUsual).map(({ key }) => key));
  return {
    search: '',
    state: '',
    priority: '',
    view: '',
    period: '',
    order: 'oldest',
    work: rights.maySeePatients ? 'unread' : 'all',
    hidden: '',
    columns: columnsFor(rights).filter((key) => usual.has(key)),
  };
}

const MAX_SEARCH = 64;

/** Filters in an address; missing and invalid ones have their usual values. */
export function filtersOf(
  { search, hash }: { readonly search: string; readonly hash: string },
  rights: Rights,
): Filters {
  const query = new URLSearchParams(search);
  const usual = usualFilters(rights);
  const one = (name: keyof typeof CHOICES) => known(query.get(name), CHOICES[name]) ?? usual[name];
  const work = known(query.get('work'), WORK) ?? usual.work;
  const columns = query.get('columns')?.split(',');
  return {
    search: (new URLSearchParams(hash.slice(1)).get('search') ?? '').trim().slice(0, MAX_SEARCH),
    state: one('state'),
    priority: one('priority'),
    view: one('view'),
    period: one('period'),
    order: one('order'),
    work: work === 'mine' && !rights.maySeePatients ? usual.work : work,
    hidden: query.get('hidden') === 'include' ? 'include' : '',
    columns: columns === undefined ? usual.columns : columnsFor(rights).filter((key) => columns.includes(key)),
  };
}

function known(value: string | null, choices: readonly (readonly [string, ...unknown[]])[]): string | undefined {
  return choices.find(([choice]) => choice === value)?.[0];
}

/**
 * Query and fragment of an address. The search, which may be a patient's name, is in the fragment, which browsers send
 * to no server, so that it is in no log.
 */
export function addressOf(filters: Filters, rights: Rights): string {
  const usual = usualFilters(rights);
  const query = new URLSearchParams();
  for (const name of ['work', 'state', 'priority', 'view', 'period', 'order', 'hidden'] as const)
    if (filters[name] !== usual[name]) query.set(name, filters[name]);
  const columns = filters.columns.join(',');
  if (columns !== usual.columns.join(',')) query.set('columns', columns);
  const text = query.toString().replaceAll('%2C', ',');
  const found = filters.search === '' ? '' : `#${new URLSearchParams({ search: filters.search }).toString()}`;
  return `${text === '' ? '' : `?${text}`}${found}`;
}

/** Filters as a saved view: without empty ones, and without columns if they are the usual ones. */
export function viewOf(filters: Filters, rights: Rights): ListView {
  const { columns, ...words } = filters;
  const isUsual = columns.join() === usualFilters(rights).columns.join();
  const said = Object.entries(words).filter(([, value]) => value !== '');
  return { ...Object.fromEntries(said), ...(isUsual ? {} : { columns }) } as unknown as ListView;
}

/** Filters of a saved view. */
export function filtersOfView({ search = '', columns, ...view }: ListView, rights: Rights): Filters {
  const query = new URLSearchParams(view);
  if (columns !== undefined) query.set('columns', columns.join(','));
  return filtersOf({ search: query.toString(), hash: `#${new URLSearchParams({ search }).toString()}` }, rights);
}
