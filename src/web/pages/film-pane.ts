import type { FilmDetail, FilmReport, PriorStudy, StudyDetail } from '../api/api-types.js';
import { h } from './dom.js';
import { t } from './language.js';
import { overlay, type ShownFilm } from './overlay.js';
import { priorStrip } from './priors.js';
import type { Viewport } from './viewport.js';
import { dateWords, viewWords } from './words.js';

/** Left side of the study page: the film, a prior one beside it for comparison, the prior studies below. */
export class FilmPane {
  readonly element = h('div', { class: 'film-pane' });
  private readonly films = h('div', { class: 'films' });
  private shown: ShownFilm | null = null;
  private compared: ShownFilm | null = null;

  /** @param onFilm called with the film that is shown, and with its report */
  constructor(
    detail: StudyDetail,
    private readonly onFilm: (film: FilmDetail, report: Promise<FilmReport | null>) => void,
  ) {
    const { films, row } = detail;
    const lead = films.find(({ picture }) => picture !== null && picture === row.leadFilm?.picture) ?? films[0];
    if (films.length > 1) this.element.append(this.chooser(films, lead!));
    this.element.append(this.films);
    if (lead === undefined) this.films.append(h('p', { class: 'no-picture faint' }, t('film.none')));
    else this.show(lead);
    const strip = priorStrip(detail, this.shown?.ready ?? Promise.resolve(), (prior) => this.compare(prior));
    if (strip !== null) this.element.append(strip);
  }

  /** Handles a key for the film; false where the key does nothing. */
  press(key: string): boolean {
    const viewport = this.active();
    if (viewport === null) return false;
    const acts: Readonly<Record<string, () => void>> = {
      '+': () => viewport.zoomBy(1),
      '=': () => viewport.zoomBy(1),
      '-': () => viewport.zoomBy(-1),
      '0': () => viewport.fit(),
      '1': () => viewport.oneToOne(),
      ...(viewport.isZoomed
        ? {
            ArrowLeft: () => viewport.panBy(-1, 0),
            ArrowRight: () => viewport.panBy(1, 0),
            ArrowUp: () => viewport.panBy(0, -1),
            ArrowDown: () => viewport.panBy(0, 1),
          }
        : {}),
    };
    const act = acts[key];
    act?.();
    return act !== undefined;
  }

  /** Of two films, the one that has the focus. */
  private active(): Viewport | null {
    const compared = this.compared?.viewport ?? null;
    const isThere = compared !== null && this.compared!.element.contains(document.activeElement);
    return isThere ? compared : (this.shown?.viewport ?? null);
  }

  private show(film: FilmDetail): void {
    this.shown = overlay(film);
    this.films.replaceChildren(this.shown.element);
    this.onFilm(film, this.shown.report);
  }

  private chooser(films: readonly FilmDetail[], lead: FilmDetail): HTMLElement {
    const buttons = films.map((film, i) =>
      h(
        'button',
        { type: 'button', 'aria-pressed': String(film === lead) },
        [t('film.number', { number: i + 1 }), viewWords(film.view)].filter((text) => text !== '').join(', '),
      ),
    );
    buttons.forEach((button, i) =>
      button.addEventListener('click', () => {
        for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
        this.compare(null);
        this.show(films[i]!);
      }),
    );
    return h('div', { class: 'buttons', role: 'group', 'aria-label': t('film.films') }, ...buttons);
  }

  private compare(prior: PriorStudy | null): void {
    this.compared = null;
    this.films.querySelector('.compared')?.remove();
    if (prior === null || prior.film === null) return;
    this.compared = overlay(prior.film);
    const sync = h('input', { type: 'checkbox' });
    this.join(this.shown?.viewport ?? null, this.compared.viewport, () => sync.checked);
    const head = h(
      'div',
      { class: 'compared-head' },
      h('strong', {}, dateWords(prior.studyDate) || t('priors.dateNotStated')),
      h('span', { class: 'faint' }, prior.studyDescription),
      h('label', {}, sync, ` ${t('priors.together')}`),
      h('a', { href: `/study/${prior.studyInstanceUid}` }, t('priors.open')),
    );
    const label = t('priors.label', { date: dateWords(prior.studyDate) || t('priors.dateNotStated') });
    this.films.append(h('section', { class: 'compared', 'aria-label': label }, head, this.compared.element));
  }

  private join(one: Viewport | null, other: Viewport | null, isOn: () => boolean): void {
    if (one === null || other === null) return;
    one.onView = (view) => isOn() && other.follow(view);
    other.onView = (view) => isOn() && one.follow(view);
  }
}
