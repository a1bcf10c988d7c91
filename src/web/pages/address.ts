import type { ListView, Session, WorkCounts } from '../api/api-types.js';
import type { PlainKey } from './say.js';

/** A column that can be left out or added; the result, with what it is for, always stays. */
export type ColumnKey = NonNullable<ListView['columns']>[number];

/** What is asked for, and what is shown of it; '' is all. */
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

/** In the order in which they are shown; those about a patient are for whoever may see patients. */
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

/** The columns that somebody may choose from. */
export function columnsFor({ maySeePatients }: Rights): readonly ColumnKey[] {
  return COLUMNS.filter(({ ofPatient }) => maySeePatients || !ofPatient).map(({ key }) => key);
}

/** What the list begins with. Whoever reads sees what is to be read; whoever reads nothing sees all. */
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

const MOST_SEARCH = 64;

/** What an address says; what it does not say, or says in words that are none of ours, is as usual. */
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
    search: (new URLSearchParams(hash.slice(1)).get('search') ?? '').trim().slice(0, MOST_SEARCH),
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
 * The part of an address after its path. What was searched for, which may be a patient's name, is in the fragment:
 * a browser sends that to no server, so that it is in no log.
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

/** As a view is saved: what is '' is left out, and so are columns that are the usual ones. */
export function viewOf(filters: Filters, rights: Rights): ListView {
  const { columns, ...words } = filters;
  const isUsual = columns.join() === usualFilters(rights).columns.join();
  const said = Object.entries(words).filter(([, value]) => value !== '');
  return { ...Object.fromEntries(said), ...(isUsual ? {} : { columns }) } as unknown as ListView;
}

/** What a saved view asks for. */
export function filtersOfView({ search = '', columns, ...view }: ListView, rights: Rights): Filters {
  const query = new URLSearchParams(view);
  if (columns !== undefined) query.set('columns', columns.join(','));
  return filtersOf({ search: query.toString(), hash: `#${new URLSearchParams({ search }).toString()}` }, rights);
}
