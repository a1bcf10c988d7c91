import type { FilmDetail, FilmReport, GivenPriority, ModelCard, StudyDetail } from '../api/api-types.js';
import { ApiError, get, post } from './api.js';
import { renderCard } from './card.js';
import { announce, byId, h } from './dom.js';
import { FilmPane } from './film-pane.js';
import { t, told } from './language.js';
import { elsewherePart } from './open-elsewhere.js';
import { copyButton, reportPlainText } from './report-text.js';
import { bar } from './rows.js';
import { pressVerdict, verdictPart } from './verdict.js';
import { dateTime, dateWords, reasonWords, resultWords, stateWords, urgentWords, zonedTime } from './words.js';
import { workPart } from './work-state.js';

/** Page of one study: films with the heat map, report, models, history and verdicts. */
export class DetailPage {
  private uid: string | null = null;
  /** Number of requests so far: of two, the answer to the later one is shown. */
  private asked = 0;
  private isDrawn = false;
  private film: { readonly key: string; readonly pane: FilmPane; readonly words: HTMLElement } | null = null;
  private readonly page = byId('detail-page');

  constructor(
    private readonly close: () => void,
    private readonly step: (by: 1 | -1) => void,
  ) {}

  get shown(): string | null {
    return this.uid;
  }

  async show(uid: string): Promise<void> {
    if (this.uid !== uid) {
      this.hide();
      this.page.replaceChildren(h('p', { class: 'faint' }, t('study.loading')));
    }
    this.uid = uid;
    const asked = ++this.asked;
    try {
      const detail = await get<StudyDetail>(`/studies/${uid}`);
      if (asked !== this.asked) return;
      this.draw(detail);
      if (!this.isDrawn) byId('detail-title').focus();
      this.isDrawn = true;
    } catch (error) {
      if (asked !== this.asked) return;
      const words =
        error instanceof ApiError && error.status === 404
          ? t('study.missing')
          : t('study.unreadable', { why: (error as Error).message });
      this.page.replaceChildren(this.bar(), h('p', { class: 'problem', role: 'alert' }, words));
    }
  }

  hide(): void {
    this.uid = null;
    this.film = null;
    this.asked += 1;
    this.isDrawn = false;
    this.page.replaceChildren();
  }

  /** Redraws a study that has changed, but not while a note is being written. */
  refresh(uid: string): void {
    if (this.uid === uid && (this.note?.value ?? '') === '') void this.show(uid);
  }

  /** The note of a verdict; a page has none where there is nothing to judge. */
  private get note(): HTMLTextAreaElement | null {
    return this.page.querySelector<HTMLTextAreaElement>('#note');
  }

  private draw(detail: StudyDetail): void {
    const focused = document.activeElement;
    const note = this.note?.value ?? '';
    const { row } = detail;
    const words = this.filmPart(detail);
    const side = h(
      'div',
      { class: 'study-side' },
      h('div', { class: 'study-told' }, words, modelsPart(detail), historyPart(detail)),
      workPart(detail, () => void this.show(row.studyInstanceUid)),
      elsewherePart(detail),
      verdictPart(detail, () => void this.show(row.studyInstanceUid)),
    );
    const body = h('div', { class: 'study-body' }, this.film!.pane.element, side);
    this.page.replaceChildren(this.bar(detail), heading(detail), body, printedPart(detail));
    if (this.note !== null) this.note.value = note;
    // Restores the focus after a redraw.
    const again = focused?.isConnected === true ? focused : document.getElementById(focused?.id ?? '');
    if (again instanceof HTMLElement && again !== document.body) again.focus({ preventScroll: true });
  }

  /** Films that have not changed keep their zoom and the film that they are compared with. */
  private filmPart(detail: StudyDetail): HTMLElement {
    const key = JSON.stringify([detail.row.studyInstanceUid, detail.films, detail.models]);
    if (this.film?.key === key) return this.film.words;
    const words = h('section', { class: 'words', 'aria-label': t('study.result') });
    const pane = new FilmPane(detail, (film, report) => words.replaceChildren(...filmWords(film, report, detail)));
    if (detail.films.length === 0) words.append(h('p', { class: 'chip' }, stateWords(detail.row)));
    this.film = { key, pane, words };
    return words;
  }

  /** Handles a key of the study page; false where the key does nothing. */
  press(key: string): boolean {
    return pressVerdict(this.page, key) || (this.film?.pane.press(key) ?? false);
  }

  /** A user may raise the priority, and take that back; priorities of order and finding stay. */
  private markButton({ row: { urgentBy, studyInstanceUid } }: StudyDetail): HTMLElement {
    const isMarked = urgentBy.includes('person');
    const mark = async () => {
      try {
        await post(`/studies/${studyInstanceUid}/priority`, {
          priority: isMarked ? null : 'urgent',
        } satisfies GivenPriority);
        announce(t(isMarked ? 'study.unmarked' : 'study.marked'));
        await this.show(studyInstanceUid);
      } catch (error) {
        announce(t('page.notDone', { why: (error as Error).message }));
      }
    };
    return h(
      'button',
      { type: 'button', id: 'mark', onclick: () => void mark() },
      t(isMarked ? 'study.unmark' : 'study.mark'),
    );
  }

  private bar(detail?: StudyDetail): HTMLElement {
    const viewers = (detail?.viewers ?? []).map(({ name, url }) =>
      h(
        'a',
        { class: 'viewer', href: url, target: '_blank', rel: 'noopener noreferrer' },
        t('study.openIn', { viewer: name }),
      ),
    );
    return h(
      'div',
      { class: 'detail-bar' },
      h('button', { type: 'button', id: 'back', onclick: () => this.close() }, t('study.back')),
      h('button', { type: 'button', onclick: () => this.step(-1), 'aria-label': t('study.previous') }, '↑'),
      h('button', { type: 'button', onclick: () => this.step(1), 'aria-label': t('study.next') }, '↓'),
      detail?.row.patient === undefined ? null : this.markButton(detail),
      detail?.row.patient === undefined
        ? null
        : h('button', { type: 'button', onclick: () => window.print() }, t('study.print')),
      h('span', { class: 'viewers' }, ...viewers),
    );
  }
}

function heading({ row, studyDate }: StudyDetail): HTMLElement {
  const { patient } = row;
  const title =
    patient === undefined
      ? t('study.uid', { uid: row.studyInstanceUid })
      : patient.name || patient.id || t('study.patientNotStated');
  const facts: [string, string | undefined][] = [
    [t('study.fact.patientId'), patient?.id],
    [t('study.fact.born'), patient && dateWords(patient.birthDate)],
    [t('study.fact.sex'), patient?.sex],
    [t('study.fact.accession'), row.accessionNumber],
    [t('study.fact.study'), row.studyDescription],
    [t('study.fact.studyDate'), dateWords(studyDate)],
    [t('study.fact.arrived'), zonedTime(row.arrivedAt)],
    [t('study.fact.priority'), urgentWords(row)],
    [t('study.fact.state'), stateWords(row)],
    [t('study.fact.uid'), patient === undefined ? undefined : row.studyInstanceUid],
  ];
  return h('div', { class: 'detail-head' }, h('h2', { id: 'detail-title', tabindex: -1 }, title), definitions(facts));
}

function definitions(facts: readonly (readonly [string, string | undefined])[]): HTMLElement {
  return h(
    'dl',
    {},
    ...facts.flatMap(([name, value]) => (value ? [h('div', {}, h('dt', {}, name), h('dd', {}, value))] : [])),
  );
}

function filmWords(film: FilmDetail, report: Promise<FilmReport | null>, detail: StudyDetail): HTMLElement[] {
  const { result, finding } = film;
  const stored = h('section', { class: 'report', 'aria-labelledby': 'report-title' });
  stored.append(h('h3', { id: 'report-title' }, t('report.heading')), h('p', { class: 'faint' }, t('report.reading')));
  void report.then((found) => stored.replaceChildren(...reportParts(found, film, detail)));
  const why = whyNot(film);
  return [
    h('p', { class: 'research small' }, t('research.statement')),
    ...(result === null
      ? []
      : [
          h(
            'p',
            { class: 'summary' },
            h('strong', {}, `${finding ?? t('result.unnamed')}: `),
            resultWords({ result } as never),
          ),
          bar(result),
          h('p', { class: 'faint small made-by' }, t('study.madeBy', { models: madeBy(detail) })),
        ]),
    ...(why === null ? [] : [h('p', { class: 'summary' }, why)]),
    ...film.remarks.map((remark, i) => {
      const said = film.remarksSaid[i] ?? null;
      const words = said === null ? null : told([said]);
      return h('p', { class: 'remark', lang: words === null ? 'en' : null }, words ?? remark);
    }),
    stored,
  ];
}

function whyNot({ outcome, reason, reasonText, inShadow }: FilmDetail): string | null {
  if (inShadow) return t('result.inShadow');
  if (reasonText === null) return null;
  const why = reasonWords({ code: reason ?? '', text: reasonText }).replace(/\.$/, '');
  return t(outcome === 'rejected' ? 'study.leftAlone' : 'study.notAnalysed', { reason: why });
}

function reportParts(report: FilmReport | null, film: FilmDetail, detail: StudyDetail): HTMLElement[] {
  const title = h('h3', { id: 'report-title' }, t('report.asStored'));
  if (report === null) {
    const why = t(film.report === null ? 'report.none' : 'report.unreadable');
    return [title, h('p', { class: 'faint' }, why)];
  }
  return [
    h(
      'div',
      { class: 'report-head' },
      title,
      copyButton(() => reportPlainText(report, detail)),
    ),
    // The report in the archive is English, whatever the reader's language.
    h(
      'div',
      { lang: 'en' },
      h('p', { class: 'summary' }, report.summary),
      definitions(report.statements.map(({ name, value }) => [name, value] as const)),
    ),
  ];
}

function madeBy({ models, softwareVersion }: StudyDetail): string {
  const networks = models.map(({ id, version }) => `${id} ${version}`);
  return [...networks, ...(softwareVersion === null ? [] : [`Hilum ${softwareVersion}`])].join(', ');
}

/** Shown on paper only, in place of the page's controls. */
function printedPart(detail: StudyDetail): HTMLElement {
  const { completedAt } = detail.row;
  const words = [
    t('research.statement'),
    ...(completedAt === null ? [] : [t('study.resultOf', { at: zonedTime(completedAt) })]),
    `${t('study.madeBy', { models: madeBy(detail) })}.`,
    t('study.printed', { at: zonedTime(new Date().toISOString()) }),
  ];
  return h('p', { class: 'printed' }, words.join(' '));
}

function historyPart({ history }: StudyDetail): HTMLElement {
  const entries = history.map(({ at, text, said }) =>
    h('li', {}, h('time', { datetime: at }, dateTime(at)), ` ${told(said) ?? text}`),
  );
  return h(
    'section',
    { class: 'history', 'aria-labelledby': 'history-title' },
    h('h3', { id: 'history-title' }, t('history.heading')),
    h('ol', {}, ...entries),
  );
}

function modelsPart({ models, softwareVersion }: StudyDetail): HTMLElement {
  const part = h(
    'section',
    { class: 'models', 'aria-labelledby': 'models-title' },
    h('h3', { id: 'models-title' }, t('models.heading')),
  );
  if (models.length === 0) part.append(h('p', { class: 'faint' }, t('models.none')));
  for (const { id, version } of models) {
    const details = h('details', {}, h('summary', {}, `${id} ${version}`));
    details.addEventListener('toggle', () => void fill(details, id, version), { once: true });
    part.append(details);
  }
  if (softwareVersion !== null) part.append(h('p', { class: 'faint' }, `Hilum ${softwareVersion}`));
  return part;
}

async function fill(details: HTMLElement, id: string, version: string): Promise<void> {
  try {
    const { text, version: installed } = await get<ModelCard>(`/models/${id}/card`);
    if (installed !== version)
      details.append(h('p', { class: 'remark' }, t('models.otherVersion', { version: installed })));
    details.append(renderCard(text));
  } catch (error) {
    details.append(h('p', { class: 'problem' }, t('models.unreadable', { why: (error as Error).message })));
  }
}
