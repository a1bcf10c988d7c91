import type { LiveEvent, Session, StudyCount, StudyPage, StudyRow, WorkCounts } from '../api/api-types.js';
import { ApiError, get } from './api.js';
import { announce, byId } from './dom.js';
import {
  comparing,
  type Filters,
  fits,
  queryOf,
  readFilters,
  showCounts,
  showFilters,
  startFilters,
} from './filters.js';
import { Grid } from './grid.js';
import { t } from './language.js';

/** Rows per request. */
const PAGE = 100;
/** Rows per request when the present rows are reloaded. */
const MAX_AT_ONCE = 1_000;
/** Largest number of rows held; beyond that, use filters. */
const MAX_ROWS = 20_000;
/** Delay before the numbers of studies are requested after changes (milliseconds). */
const RECOUNT = 5_000;

/** Interval of the check for expired claims (milliseconds). */
const ENDED_CLAIMS = 15_000;

/** The reading list: requests the rows that are looked at, keeps them in order, and applies changes. */
export class ReadingList {
  private rows: StudyRow[] = [];
  /** Where the next rows begin, and the row before them; null where all are loaded. */
  private beyond: { readonly cursor: string; readonly after: StudyRow } | null = null;
  /** Number of studies with these filters, as counted last; null while unknown. */
  private total: StudyCount | null = null;
  private filters: Filters;
  private asking: AbortController | null = null;
  private asksMore: Promise<void> | null = null;
  /** Number of requests for rows that are under way, and the changes meanwhile: the responses may not have them. */
  private asked = 0;
  private meanwhile: LiveEvent[] = [];
  private searchTimer: number | undefined;
  private countTimer: number | undefined;
  readonly grid: Grid;
  /** Number of the last change that the rows are known to have. */
  change = 0;

  constructor(
    private readonly session: Session,
    open: (uid: string) => void,
    private readonly problem: (text: string | null) => void,
    private readonly counted: (counts: WorkCounts) => void,
  ) {
    startFilters(() => this.follow(), session);
    this.filters = readFilters(session);
    this.grid = new Grid(session, open, () => void this.more());
    this.grid.choose(this.filters.columns);
    // A claim expires without a change of its row.
    window.setInterval(() => this.endClaims(), ENDED_CLAIMS);
  }

  /** Applies a changed address to controls, columns and rows. */
  follow(): void {
    const before = queryOf(this.filters).toString();
    this.filters = readFilters(this.session);
    showFilters(this.session);
    this.grid.choose(this.filters.columns);
    if (queryOf(this.filters).toString() !== before) void this.reload(true);
  }

  /** Urgent rows among those loaded. */
  get urgentRows(): readonly StudyRow[] {
    return this.rows.filter(({ priority }) => priority === 'urgent');
  }

  /** Reloads the first rows, or as many as are loaded. The present rows stay until the response is there. */
  async reload(fromTop: boolean): Promise<void> {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const held = fromTop ? 0 : this.rows.length;
    byId('grid').setAttribute('aria-busy', 'true');
    this.asked++;
    try {
      const first = await this.ask(null, Math.max(PAGE, Math.min(held, MAX_AT_ONCE)), asking.signal);
      const rows = [...first.rows];
      let last = first;
      while (last.next !== null && rows.length < held) {
        last = await this.ask(last.next, MAX_AT_ONCE, asking.signal);
        rows.push(...last.rows);
      }
      this.asksMore = null;
      this.total = null;
      this.hold(rows, last);
      this.apply(this.meanwhile);
      this.change = first.change;
      this.show(fromTop);
      void this.showWork();
      await this.count(asking.signal);
      if (fromTop) announce(this.countWords());
      this.problem(null);
    } catch (error) {
      this.tell(error);
    } finally {
      this.answered();
      if (this.asking === asking) byId('grid').setAttribute('aria-busy', 'false');
    }
  }

  /** The next or previous study in the list's order; null at either end. */
  async neighbour(uid: string, by: 1 | -1): Promise<string | null> {
    const next = this.grid.neighbour(uid, by);
    if (next !== null || by < 0 || this.beyond === null) return next;
    await this.more();
    return this.grid.neighbour(uid, by);
  }

  /** Loads the next rows. One request at a time; a reload replaces it. */
  private more(): Promise<void> {
    const { beyond, asking } = this;
    if (beyond === null || asking === null || this.rows.length >= MAX_ROWS) return Promise.resolve();
    this.asksMore ??= this.readMore(beyond.cursor, asking);
    return this.asksMore;
  }

  private async readMore(cursor: string, asking: AbortController): Promise<void> {
    const done = () => {
      if (this.asking === asking) this.asksMore = null;
    };
    this.asked++;
    try {
      const page = await this.ask(cursor, PAGE, asking.signal);
      if (this.asking !== asking) return;
      done();
      this.hold([...this.rows, ...this.unknown(page.rows)], page);
      this.apply(this.meanwhile);
      this.show(false);
    } catch (error) {
      this.tell(error);
      // Delayed, as the end of the list would otherwise be requested without a pause.
      window.setTimeout(done, RECOUNT);
    } finally {
      this.answered();
    }
  }

  private answered(): void {
    this.asked--;
    if (this.asked === 0) this.meanwhile = [];
  }

  private hold(rows: readonly StudyRow[], { rows: added, next }: StudyPage): void {
    const after = added.at(-1);
    this.beyond = next === null || after === undefined ? null : { cursor: next, after };
    this.rows = [...rows].sort(comparing(this.filters));
  }

  private unknown(rows: readonly StudyRow[]): StudyRow[] {
    const known = new Set(this.rows.map(({ studyInstanceUid }) => studyInstanceUid));
    return rows.filter(({ studyInstanceUid }) => !known.has(studyInstanceUid));
  }

  private ask(cursor: string | null, limit: number, signal: AbortSignal): Promise<StudyPage> {
    const query = queryOf(this.filters);
    query.set('limit', String(limit));
    if (cursor !== null) query.set('cursor', cursor);
    return get<StudyPage>(`/studies?${query.toString()}`, signal);
  }

  /** The service reports the number of rows that are not loaded. */
  private async count(signal: AbortSignal): Promise<void> {
    if (this.beyond === null) return;
    const query = queryOf(this.filters);
    query.delete('order');
    this.total = await get<StudyCount>(`/studies/count?${query.toString()}`, signal);
    this.show(false);
  }

  private tell(error: unknown): void {
    if (error instanceof DOMException) return;
    this.problem(error instanceof ApiError ? t('list.unreadable', { why: error.message }) : String(error));
  }

  /** Takes changes that arrived together. */
  take(events: readonly LiveEvent[]): void {
    if (this.asked > 0) this.meanwhile.push(...events);
    const { arrived, shown, unsure } = this.apply(events);
    this.show(false);
    if (arrived > 0) announce(`${t('list.newStudies', { count: arrived })}, ${urgent(shown)}. ${this.countWords()}`);
    this.countLater();
    if (unsure) {
      clearTimeout(this.searchTimer);
      this.searchTimer = window.setTimeout(() => void this.reload(false), 1_000);
    }
  }

  /** Applies the latest change of each study. `unsure`: only the service can tell whether a row belongs here. */
  private apply(events: readonly LiveEvent[]) {
    const latest = new Map(events.map((event) => [uidOf(event), event]));
    const known = new Set(this.rows.map(({ studyInstanceUid }) => studyInstanceUid));
    const shown: StudyRow[] = [];
    let [arrived, unsure] = [0, false];
    for (const [uid, event] of latest) {
      const fit = event.kind === 'study' ? fits(event.row, this.filters) : false;
      if (event.kind !== 'study' || fit === false) continue;
      if (fit === true && !known.has(uid)) arrived++;
      if (fit === null && !known.has(uid)) unsure = true;
      else if (this.isHere(event.row)) shown.push(event.row);
    }
    const others = this.rows.filter(({ studyInstanceUid }) => !latest.has(studyInstanceUid));
    this.rows = [...others, ...shown].sort(comparing(this.filters));
    return { arrived, shown, unsure };
  }

  /** Rows further down are loaded when somebody scrolls there. */
  private isHere(row: StudyRow): boolean {
    return this.beyond === null || comparing(this.filters)(row, this.beyond.after) <= 0;
  }

  private endClaims(): void {
    if (this.filters.work === 'mine' && this.rows.some((row) => fits(row, this.filters) === false))
      void this.reload(false);
  }

  private countLater(): void {
    if (this.asking === null) return;
    const { signal } = this.asking;
    this.countTimer ??= window.setTimeout(() => {
      this.countTimer = undefined;
      void this.showWork();
      void this.count(signal).catch((error: unknown) => this.tell(error));
    }, RECOUNT);
  }

  private async showWork(): Promise<void> {
    const counts = await showCounts();
    if (counts !== null) this.counted(counts);
  }

  private show(fromTop: boolean): void {
    const total = this.beyond === null ? this.rows.length : (this.total?.studies ?? null);
    this.grid.show(this.rows, total, fromTop);
    byId('count').textContent = this.countWords();
    const empty = byId('empty');
    empty.hidden = this.rows.length > 0;
    const { search, state, priority, view, period, hidden } = this.filters;
    empty.textContent = [search, state, priority, view, period, hidden].some((value) => value !== '')
      ? t('list.noneFits')
      : noneWords(this.filters.work);
  }

  private countWords(): string {
    if (this.beyond === null) return `${studies(this.rows.length)}, ${urgent(this.rows)}`;
    return this.total === null
      ? t('list.more', { studies: studies(this.rows.length) })
      : `${studies(this.total.studies)}, ${t('list.urgent', { count: this.total.urgent })}`;
  }
}

/** Text of an empty list. */
function noneWords(work: string): string {
  const known = (['unread', 'mine', 'read-today', 'all'] as const).find((one) => one === work);
  return known === undefined ? '' : t(`list.none.${known}`);
}

const studies = (count: number) => t('list.studies', { count });
const urgent = (rows: readonly StudyRow[]) =>
  t('list.urgent', { count: rows.filter(({ priority }) => priority === 'urgent').length });
const uidOf = (event: LiveEvent) => (event.kind === 'study' ? event.row.studyInstanceUid : event.studyInstanceUid);
