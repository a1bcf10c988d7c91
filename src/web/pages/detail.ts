import type { FilmDetail, FilmReport, GivenPriority, ModelCard, StudyDetail } from '../api/api-types.js';
import { ApiError, get, post } from './api.js';
import { renderCard } from './card.js';
import { announce, byId, h } from './dom.js';
import { overlay } from './overlay.js';
import { bar } from './rows.js';
import { verdictPart } from './verdict.js';
import { RESEARCH_USE } from './wording.js';
import { dateTime, resultWords, stateWords, urgentWords } from './words.js';
import { workPart } from './work-state.js';

/** One study: its films with the heat map, the report, the models, what was done when, and verdicts. */
export class DetailPage {
  private uid: string | null = null;
  private readonly page = byId('detail-page');

  constructor(
    private readonly close: () => void,
    private readonly step: (by: 1 | -1) => void,
  ) {}

  get shown(): string | null {
    return this.uid;
  }

  async show(uid: string): Promise<void> {
    const isNew = this.uid !== uid;
    this.uid = uid;
    if (isNew) this.page.replaceChildren(h('p', { class: 'faint' }, 'Loading ...'));
    try {
      const detail = await get<StudyDetail>(`/studies/${uid}`);
      if (this.uid !== uid) return;
      this.draw(detail);
      if (isNew) byId('detail-title').focus();
    } catch (error) {
      if (this.uid !== uid) return;
      const words =
        error instanceof ApiError && error.status === 404
          ? 'There is no such study on the list.'
          : `The study could not be read: ${(error as Error).message}.`;
      this.page.replaceChildren(this.bar(), h('p', { class: 'problem', role: 'alert' }, words));
    }
  }

  hide(): void {
    this.uid = null;
    this.page.replaceChildren();
  }

  /** The study has changed: shown anew, but never while a note is being written. */
  refresh(uid: string): void {
    const note = this.page.querySelector<HTMLTextAreaElement>('#note');
    if (this.uid === uid && (note === null || note.value === '')) void this.show(uid);
  }

  private draw(detail: StudyDetail): void {
    const focused = document.activeElement?.id;
    const { row } = detail;
    const parts = [
      this.bar(detail),
      workPart(detail, () => void this.show(row.studyInstanceUid)),
      heading(detail),
      ...detail.films.map((film) => filmPart(film)),
      detail.films.length === 0 ? h('p', { class: 'chip' }, stateWords(row)) : null,
      verdictPart(detail, () => void this.show(row.studyInstanceUid)),
      historyPart(detail),
      modelsPart(detail),
    ];
    this.page.replaceChildren(...parts.filter((part) => part !== null));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  /** A person may raise a study, and take that own word back; what the order or the finding says stays. */
  private markButton({ row: { urgentBy, studyInstanceUid } }: StudyDetail): HTMLElement {
    const isMarked = urgentBy.includes('person');
    const mark = async () => {
      try {
        await post(`/studies/${studyInstanceUid}/priority`, {
          priority: isMarked ? null : 'urgent',
        } satisfies GivenPriority);
        announce(isMarked ? 'Urgent mark taken back' : 'Marked as urgent');
        await this.show(studyInstanceUid);
      } catch (error) {
        announce(`Not done: ${(error as Error).message}`);
      }
    };
    return h(
      'button',
      { type: 'button', id: 'mark', onclick: () => void mark() },
      isMarked ? 'Take back the urgent mark' : 'Mark as urgent',
    );
  }

  private bar(detail?: StudyDetail): HTMLElement {
    const viewers = (detail?.viewers ?? []).map(({ name, url }) =>
      h('a', { class: 'viewer', href: url, target: '_blank', rel: 'noopener noreferrer' }, `Open in ${name}`),
    );
    return h(
      'div',
      { class: 'detail-bar' },
      h('button', { type: 'button', id: 'back', onclick: () => this.close() }, 'Back to the list'),
      h('button', { type: 'button', onclick: () => this.step(-1), 'aria-label': 'Previous study' }, '↑'),
      h('button', { type: 'button', onclick: () => this.step(1), 'aria-label': 'Next study' }, '↓'),
      detail?.row.patient === undefined ? null : this.markButton(detail),
      h('span', { class: 'viewers' }, ...viewers),
    );
  }
}

function heading({ row, studyDate }: StudyDetail): HTMLElement {
  const { patient } = row;
  const title =
    patient === undefined ? `Study ${row.studyInstanceUid}` : patient.name || patient.id || 'Patient not stated';
  const facts: [string, string | undefined][] = [
    ['Patient ID', patient?.id],
    ['Born', patient?.birthDate],
    ['Sex', patient?.sex],
    ['Accession', row.accessionNumber],
    ['Study', row.studyDescription],
    ['Study date', studyDate],
    ['Arrived', dateTime(row.arrivedAt)],
    ['Priority', urgentWords(row)],
    ['State', stateWords(row)],
    ['Study Instance UID', patient === undefined ? undefined : row.studyInstanceUid],
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

function filmPart(film: FilmDetail): HTMLElement {
  const report =
    film.report === null
      ? Promise.resolve(null)
      : get<FilmReport>(film.report.replace('/api/v1', '')).catch(() => null);
  const words = h('div', { class: 'words' });
  const part = h(
    'article',
    { class: 'film-part' },
    h('h3', {}, film.view === '' ? 'Film' : `Film, ${film.view}`),
    overlay(film, report),
    words,
  );
  words.append(h('p', { class: 'research' }, RESEARCH_USE.statement));
  if (film.result !== null)
    words.append(
      h(
        'p',
        { class: 'summary' },
        h('strong', {}, `${film.finding ?? 'Finding'}: `),
        resultWords({ result: film.result } as never),
      ),
      bar(film.result),
    );
  if (film.reasonText !== null)
    words.append(
      h(
        'p',
        { class: 'summary' },
        `${film.outcome === 'rejected' ? 'Left alone' : 'Not analysed'} because ${film.reasonText}.`.replace('..', '.'),
      ),
    );
  words.append(...film.remarks.map((remark) => h('p', { class: 'remark' }, remark)));
  void report.then((found) => words.append(reportText(found, film)));
  return part;
}

function reportText(report: FilmReport | null, film: FilmDetail): HTMLElement {
  if (report === null)
    return h(
      'p',
      { class: 'faint' },
      film.report === null ? 'This film has no stored report.' : 'The stored report could not be read.',
    );
  return h(
    'details',
    { class: 'report' },
    h('summary', {}, 'Report as stored'),
    h('p', { class: 'summary' }, report.summary),
    definitions(report.statements.map(({ name, value }) => [name, value] as const)),
  );
}

function historyPart({ history }: StudyDetail): HTMLElement {
  const entries = history.map(({ at, text }) => h('li', {}, h('time', { datetime: at }, dateTime(at)), ` ${text}`));
  return h(
    'section',
    { class: 'history', 'aria-labelledby': 'history-title' },
    h('h3', { id: 'history-title' }, 'What was done'),
    h('ol', {}, ...entries),
  );
}

function modelsPart({ models, softwareVersion }: StudyDetail): HTMLElement {
  const part = h(
    'section',
    { class: 'models', 'aria-labelledby': 'models-title' },
    h('h3', { id: 'models-title' }, 'Models'),
  );
  if (models.length === 0) part.append(h('p', { class: 'faint' }, 'No model has looked at this study.'));
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
      details.append(h('p', { class: 'remark' }, `This is the card of version ${installed}, which is installed now.`));
    details.append(renderCard(text));
  } catch (error) {
    details.append(h('p', { class: 'problem' }, `The model card could not be read: ${(error as Error).message}.`));
  }
}
