import type { LiveEvent, Session, StudyPage, StudyRow } from '../api/api-types.js';
import { ApiError, get } from './api.js';
import { announce, byId } from './dom.js';
import { comparing, type Filters, fits, queryOf, readFilters, startFilters } from './filters.js';
import { Grid } from './grid.js';

const FIRST_PAGE = 100;
const NEXT_PAGES = 1_000;
/** More rows than this are not held: whoever looks for one of them filters. */
const MOST_ROWS = 20_000;

/** The reading list: asks for rows, keeps them in order, takes what changes. */
export class ReadingList {
  private rows: StudyRow[] = [];
  /** Rows beyond those held are still to come. */
  private more = false;
  private filters: Filters = readFilters();
  private asking: AbortController | null = null;
  private searchTimer: number | undefined;
  readonly grid: Grid;
  /** The last change that the rows are sure to have. */
  change = 0;

  constructor(
    session: Session,
    open: (uid: string) => void,
    private readonly problem: (text: string | null) => void,
  ) {
    startFilters(() => void this.reload(true));
    this.filters = readFilters();
    this.grid = new Grid(session, open);
  }

  /** Asks anew. The rows shown stay until the answer is there. */
  async reload(fromTop: boolean): Promise<void> {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    this.filters = readFilters();
    byId('grid').setAttribute('aria-busy', 'true');
    try {
      const first = await this.ask(FIRST_PAGE, null, asking.signal);
      this.rows = [...first.rows];
      this.more = first.next !== null;
      this.change = first.change;
      this.show(fromTop);
      if (fromTop) announce(this.countWords());
      await this.rest(first.next, asking.signal);
      this.problem(null);
    } catch (error) {
      if (error instanceof DOMException) return;
      this.problem(error instanceof ApiError ? `The list could not be read: ${error.message}.` : String(error));
    } finally {
      if (this.asking === asking) byId('grid').setAttribute('aria-busy', 'false');
    }
  }

  /** The other pages, in the background: scrolling and the keyboard then reach every row. */
  private async rest(from: string | null, signal: AbortSignal): Promise<void> {
    for (let next = from; next !== null && this.rows.length < MOST_ROWS;) {
      const page: StudyPage = await this.ask(NEXT_PAGES, next, signal);
      this.merge(page.rows);
      next = page.next;
      this.more = next !== null;
      this.show(false);
    }
  }

  private ask(limit: number, cursor: string | null, signal: AbortSignal): Promise<StudyPage> {
    const query = queryOf(this.filters);
    query.set('limit', String(limit));
    if (cursor !== null) query.set('cursor', cursor);
    return get<StudyPage>(`/studies?${query.toString()}`, signal);
  }

  /** Takes changes, all that came together at once. */
  take(events: readonly LiveEvent[]): void {
    const gone = new Set<string>();
    const fresh: StudyRow[] = [];
    let unsure = false;
    const known = new Set(this.rows.map(({ studyInstanceUid }) => studyInstanceUid));
    let arrived = 0;
    for (const event of events) {
      const uid = event.kind === 'study' ? event.row.studyInstanceUid : event.studyInstanceUid;
      const fit = event.kind === 'study' ? fits(event.row, this.filters) : false;
      gone.add(uid);
      if (event.kind !== 'study' || fit === false) continue;
      if (fit === true || known.has(uid)) {
        fresh.push(event.row);
        if (!known.has(uid)) arrived++;
      } else unsure = true;
    }
    const latest = new Map(fresh.map((row) => [row.studyInstanceUid, row]));
    this.rows = [...this.rows.filter(({ studyInstanceUid }) => !gone.has(studyInstanceUid)), ...latest.values()].sort(
      comparing(this.filters),
    );
    this.show(false);
    if (arrived > 0)
      announce(
        `${arrived} new ${arrived === 1 ? 'study' : 'studies'}, ` +
          `${urgentOf([...latest.values()])} urgent. ${this.countWords()}`,
      );
    if (unsure) {
      clearTimeout(this.searchTimer);
      this.searchTimer = window.setTimeout(() => void this.reload(false), 1_000);
    }
  }

  private merge(more: readonly StudyRow[]): void {
    const known = new Set(this.rows.map(({ studyInstanceUid }) => studyInstanceUid));
    this.rows = [...this.rows, ...more.filter(({ studyInstanceUid }) => !known.has(studyInstanceUid))].sort(
      comparing(this.filters),
    );
  }

  private show(fromTop: boolean): void {
    this.grid.show(this.rows, this.more ? null : this.rows.length, fromTop);
    byId('count').textContent = this.countWords();
    const empty = byId('empty');
    empty.hidden = this.rows.length > 0;
    empty.textContent = Object.entries(this.filters).some(([name, value]) => name !== 'order' && value !== '')
      ? 'No study fits these filters.'
      : 'No study has come yet.';
  }

  private countWords(): string {
    return `${this.more ? 'more than ' : ''}${studies(this.rows.length)}, ${urgentOf(this.rows)} urgent`;
  }
}

const studies = (count: number) => `${count} ${count === 1 ? 'study' : 'studies'}`;
const urgentOf = (rows: readonly StudyRow[]) => rows.filter(({ priority }) => priority === 'urgent').length;
