import type { Session, StudyRow } from '../api/api-types.js';
import { byId, h } from './dom.js';
import type { ColumnKey } from './address.js';
import { columnsOf, drawRow, leaveThumbs, loadThumbs, tick } from './rows.js';

/** Rows drawn above and below the visible ones. */
const MARGIN = 6;
/** Time that a row must be visible before its pictures are requested (milliseconds). */
const THUMB_DELAY = 120;

/**
 * A grid of rows of which only the visible ones are in the page, some thirty elements whatever the number of rows. The
 * row with the focus is always among them.
 */
export class Grid {
  private readonly scroller = byId('scroller');
  private readonly body = byId('grid-body');
  private readonly drawn = new Map<string, HTMLElement>();
  private rows: readonly StudyRow[] = [];
  private places = new Map<string, number>();
  private current: string | null = null;
  private thumbTimer: number | undefined;
  private chosen: string | null = null;
  private columns = columnsOf([]);

  constructor(
    private readonly session: Session,
    private readonly open: (uid: string) => void,
    /** Called when the last rows are visible, or nearly. */
    private readonly nearEnd: () => void,
  ) {
    byId('grid').classList.toggle('without-patients', !session.maySeePatients);
    this.scroller.addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    this.body.addEventListener('click', (event) => {
      const target = event.target as Element;
      const uid = target.closest<HTMLElement>('[data-uid]')?.dataset['uid'];
      if (uid === undefined || target.closest('a') !== null) return;
      this.current = uid;
      this.open(uid);
    });
    this.body.addEventListener('focusin', (event) => {
      const uid = (event.target as Element).closest<HTMLElement>('[data-uid]')?.dataset['uid'];
      if (uid !== undefined && uid !== this.current) this.select(uid, false);
    });
    window.setInterval(() => tick(this.body), 5_000);
  }

  /**
   * Shows these rows; `total` is their number on the server, null while unknown. Visible rows keep their position when
   * rows come or go above them; at the very top the newest stay visible.
   */
  show(rows: readonly StudyRow[], total: number | null, fromTop = false): void {
    const anchor = fromTop || this.scroller.scrollTop === 0 ? null : this.anchor();
    const before = this.rows;
    this.rows = rows;
    this.places = new Map(rows.map(({ studyInstanceUid }, i) => [studyInstanceUid, i]));
    if (this.current !== null && !this.places.has(this.current)) this.current = null;
    const changed = new Set(
      before.length === 0
        ? []
        : [...this.drawn.keys()].filter(
            (uid) => this.rowOf(uid) !== before.find(({ studyInstanceUid }) => studyInstanceUid === uid),
          ),
    );
    byId('grid').setAttribute('aria-rowcount', String(total === null ? -1 : total + 1));
    this.body.style.height = `${rows.length * this.rowHeight()}px`;
    if (anchor !== null)
      this.scroller.scrollTop = (this.places.get(anchor.uid) ?? anchor.place) * this.rowHeight() + anchor.offset;
    else if (fromTop) this.scroller.scrollTop = 0;
    this.draw(changed);
  }

  /** Sets the columns beside the result. */
  choose(chosen: readonly ColumnKey[]): void {
    if (chosen.join() === this.chosen) return;
    this.chosen = chosen.join();
    this.columns = columnsOf(chosen);
    byId('grid-head').replaceChildren(
      ...this.columns.map(({ key, title }) => h('div', { class: `cell ${key}`, role: 'columnheader' }, title)),
    );
    const grid = byId('grid');
    grid.style.setProperty('--columns', this.columns.map(({ width }) => width).join(' '));
    grid.setAttribute('aria-colcount', String(this.columns.length));
    this.draw(new Set(this.drawn.keys()));
  }

  /** The list is hidden: pending picture requests are dropped, and made again when it is shown. */
  rest(): void {
    clearTimeout(this.thumbTimer);
    leaveThumbs(this.body);
  }

  get selected(): string | null {
    return this.current;
  }

  get selectedRow(): StudyRow | undefined {
    return this.current === null ? undefined : this.rowOf(this.current);
  }

  /** Moves selection and focus by this number of rows. */
  move(by: number): void {
    if (this.rows.length === 0) return;
    const from = this.current === null ? (by > 0 ? -1 : 0) : (this.places.get(this.current) ?? -1);
    const to = Math.min(this.rows.length - 1, Math.max(0, from + by));
    this.select(this.rows[to]!.studyInstanceUid, true);
  }

  /** Number of rows that fit into the window. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight()) - 1);
  }

  /** The next or previous study in the order shown; null at the end. */
  neighbour(uid: string, by: 1 | -1): string | null {
    const place = this.places.get(uid);
    return place === undefined ? null : (this.rows[place + by]?.studyInstanceUid ?? null);
  }

  select(uid: string, focus: boolean): void {
    const place = this.places.get(uid);
    if (place === undefined) return;
    this.current = uid;
    if (focus) {
      const [top, height] = [place * this.rowHeight(), this.rowHeight()];
      if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
      else if (top + height > this.scroller.scrollTop + this.scroller.clientHeight)
        this.scroller.scrollTop = top + height - this.scroller.clientHeight;
    }
    this.draw();
    if (focus) this.drawn.get(uid)?.focus({ preventScroll: true });
  }

  private rowOf(uid: string): StudyRow | undefined {
    const place = this.places.get(uid);
    return place === undefined ? undefined : this.rows[place];
  }

  /** The row that must keep its position: the selected one if visible, else the first visible one. */
  private anchor(): { uid: string; place: number; offset: number } | null {
    const height = this.rowHeight();
    const top = this.scroller.scrollTop;
    const own = this.current === null ? undefined : this.places.get(this.current);
    const isVisible =
      own !== undefined && own * height >= top - height && own * height < top + this.scroller.clientHeight;
    const place = isVisible ? own : Math.floor(top / height);
    const row = this.rows[place];
    return row === undefined ? null : { uid: row.studyInstanceUid, place, offset: top - place * height };
  }

  private rowHeight(): number {
    return Number.parseFloat(getComputedStyle(this.body).getPropertyValue('--row-height')) || 72;
  }

  private draw(redraw: ReadonlySet<string> = new Set()): void {
    const height = this.rowHeight();
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / height) - MARGIN);
    const last = Math.min(
      this.rows.length,
      Math.ceil((this.scroller.scrollTop + this.scroller.clientHeight) / height) + MARGIN,
    );
    const wanted = new Set(this.rows.slice(first, last).map(({ studyInstanceUid }) => studyInstanceUid));
    if (this.current !== null && this.places.has(this.current)) wanted.add(this.current);
    const focused = document.activeElement?.closest<HTMLElement>('[data-uid]')?.dataset['uid'];
    for (const [uid, element] of this.drawn) {
      if (wanted.has(uid)) continue;
      element.remove();
      this.drawn.delete(uid);
    }
    for (const uid of wanted) this.place(uid, redraw.has(uid), height);
    // In the order of the list, so that screen readers follow it.
    const inOrder = [...this.drawn].sort(([a], [b]) => this.places.get(a)! - this.places.get(b)!);
    inOrder.forEach(
      ([, element], i) =>
        this.body.children[i] !== element && this.body.insertBefore(element, this.body.children[i] ?? null),
    );
    if (focused !== undefined && document.activeElement === document.body)
      this.drawn.get(focused)?.focus({ preventScroll: true });
    if (this.scroller.clientHeight > 0 && last + this.pageRows >= this.rows.length) this.nearEnd();
    clearTimeout(this.thumbTimer);
    this.thumbTimer = window.setTimeout(() => {
      if (this.scroller.clientHeight > 0) loadThumbs(this.body);
    }, THUMB_DELAY);
  }

  private place(uid: string, redraw: boolean, height: number): void {
    const place = this.places.get(uid)!;
    let element = this.drawn.get(uid);
    if (element === undefined || redraw) {
      const fresh = drawRow(this.rows[place]!, this.session, this.columns);
      if (element !== undefined) keepPictures(element, fresh);
      element?.replaceWith(fresh);
      element = fresh;
      this.drawn.set(uid, element);
    }
    const isCurrent = uid === this.current;
    element.style.transform = `translateY(${place * height}px)`;
    element.setAttribute('aria-rowindex', String(place + 2));
    element.setAttribute('aria-selected', String(isCurrent));
    // One row can be reached by Tab: the selected one, else the first.
    element.tabIndex = isCurrent || (this.current === null && place === 0) ? 0 : -1;
    if (!element.isConnected) this.body.append(element);
  }
}

/** A redrawn row keeps its pictures, so that nothing flickers. */
function keepPictures(from: HTMLElement, to: HTMLElement): void {
  const old = from.querySelectorAll<HTMLImageElement>('img.thumb');
  to.querySelectorAll<HTMLImageElement>('img.thumb').forEach((image, i) => {
    const before = old[i];
    if (before !== undefined && before.getAttribute('src') === image.dataset['src']) image.replaceWith(before);
  });
}
