import { type BootstrapOptions, estimate, type Estimate } from './bootstrap';
import { type Scored, type Share, thresholdFigures } from './statistics';
import { weightedAuc } from './weighted';

export interface GroupedFilm {
  readonly film: Scored;
  readonly groups: Readonly<Record<string, string | undefined>>;
}

interface SubgroupRow {
  readonly value: string;
  readonly n: number;
  readonly positive: number;
  readonly auc: Estimate;
  /** At the operating point. */
  readonly sensitivity: Share;
  readonly specificity: Share;
}

/** Films grouped by one column of the labels file or one property in their headers. */
export interface Subgroup {
  readonly name: string;
  readonly rows: readonly SubgroupRow[];
}

/** With more values, the smallest groups are joined: a column of dates or numbers makes no groups. */
const MAX_VALUES = 12;
export const NOT_SAID = '(not said)';
export const OTHERS = '(all others)';

export function subgroups(
  films: readonly GroupedFilm[],
  settings: { readonly threshold: number; readonly bootstrap: BootstrapOptions },
): Subgroup[] {
  const names = [...new Set(films.flatMap(({ groups }) => Object.keys(groups)))];
  return names.map((name) => ({
    name,
    rows: rowsOf(films, name).map(([value, group]) => rowOf(value, group, settings)),
  }));
}

function rowsOf(films: readonly GroupedFilm[], name: string): [value: string, films: Scored[]][] {
  const byValue = new Map<string, Scored[]>();
  for (const { film, groups } of films) {
    const value = groups[name] || NOT_SAID;
    const group = byValue.get(value);
    if (group) group.push(film);
    else byValue.set(value, [film]);
  }
  const sorted = [...byValue].sort(([a, some], [b, more]) => more.length - some.length || (a < b ? -1 : 1));
  if (sorted.length <= MAX_VALUES) return sorted.sort(([a], [b]) => (a < b ? -1 : 1));
  return [...sorted.slice(0, MAX_VALUES - 1), [OTHERS, sorted.slice(MAX_VALUES - 1).flatMap(([, group]) => group)]];
}

function rowOf(
  value: string,
  films: readonly Scored[],
  { threshold, bootstrap }: { readonly threshold: number; readonly bootstrap: BootstrapOptions },
): SubgroupRow {
  const { sensitivity, specificity } = thresholdFigures(films, threshold);
  return {
    value,
    n: films.length,
    positive: films.filter(({ positive }) => positive).length,
    auc: estimate(films, weightedAuc, bootstrap),
    sensitivity,
    specificity,
  };
}
