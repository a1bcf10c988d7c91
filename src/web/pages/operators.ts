import type {
  DeadLetterEntry,
  DeadLetterList,
  DeadLettersDone,
  Installation,
  Overview,
  Turnaround,
} from '../api/api-types.js';
import { get, post } from './api.js';
import { announce, byId, h } from './dom.js';
import { t } from './language.js';
import {
  checksPart,
  deliveriesPart,
  installationPart,
  outagesPart,
  turnaroundControls,
  turnaroundPart,
  workersPart,
} from './operation.js';
import { table } from './table.js';
import { dateTime, duration, stateName } from './words.js';

const EVERY = 5_000;
/** Refresh interval of turnaround and drift, which change slowly (milliseconds). */
const SLOW_EVERY = 300_000;
/** Initial period of turnaround (days). */
const DAYS = 7;
const QUEUES: Readonly<Record<string, string>> = {
  intake: t('operation.queue.intake'),
  urgent: t('operation.queue.urgent'),
  routine: t('operation.queue.routine'),
  retry: t('operation.queue.retry'),
  dead: t('operation.queue.dead'),
};

/** Page for operators: outages, workers, queues, dead letters, turnaround, installation. Nothing about a patient. */
export class OperatorsPage {
  private timer: number | undefined;
  private slowTimer: number | undefined;
  private readonly page = byId('operators-page');
  private readonly overview = h('div', { class: 'overview' });
  private readonly letters = h('div', {});
  private readonly turnaround = h('div', {});
  private readonly installation = h('div', { class: 'overview' });
  private days = DAYS;

  show(): void {
    if (this.page.childElementCount === 0) this.build();
    void this.refresh();
    void this.refreshLetters();
    void this.refreshSlow();
    clearInterval(this.timer);
    clearInterval(this.slowTimer);
    this.timer = window.setInterval(() => void this.refresh(), EVERY);
    this.slowTimer = window.setInterval(() => void this.refreshSlow(), SLOW_EVERY);
  }

  hide(): void {
    clearInterval(this.timer);
    clearInterval(this.slowTimer);
  }

  private build(): void {
    const controls = turnaroundControls(this.days, (days) => {
      this.days = days;
      void this.refreshTurnaround();
    });
    this.page.append(
      h('h2', { id: 'operators-title', tabindex: -1 }, t('page.operation')),
      this.overview,
      this.letters,
      h('section', { 'aria-labelledby': 'turnaround-title' }, ...controls, this.turnaround),
      this.installation,
    );
  }

  private async refreshSlow(): Promise<void> {
    await Promise.all([this.refreshTurnaround(), this.refreshInstallation()]);
  }

  private async refreshTurnaround(): Promise<void> {
    const { days } = this;
    const parts = await get<Turnaround>(`/operators/turnaround?days=${days}`).then(turnaroundPart, failed);
    if (days === this.days) this.turnaround.replaceChildren(...parts);
  }

  private async refreshInstallation(): Promise<void> {
    this.installation.replaceChildren(
      ...(await get<Installation>('/operators/installation').then(installationPart, failed)),
    );
  }

  private async refresh(): Promise<void> {
    try {
      const parts = drawOverview(await get<Overview>('/operators/overview'));
      keepingFocus(this.overview, () => this.overview.replaceChildren(...parts));
    } catch (error) {
      this.overview.replaceChildren(
        h('p', { class: 'problem', role: 'alert' }, t('operation.noNews', { why: (error as Error).message })),
      );
    }
  }

  private async refreshLetters(): Promise<void> {
    try {
      const { letters } = await get<DeadLetterList>('/operators/dead-letters');
      this.letters.replaceChildren(...this.drawLetters(letters));
    } catch (error) {
      this.letters.replaceChildren(
        h('h3', {}, t('operation.givenUp')),
        h('p', { class: 'problem' }, t('operation.lettersUnreadable', { why: (error as Error).message })),
      );
    }
  }

  private drawLetters(letters: readonly DeadLetterEntry[]): HTMLElement[] {
    const all =
      letters.length < 2
        ? null
        : h(
            'p',
            {},
            h(
              'button',
              { type: 'button', id: 'replay-all', onclick: () => void this.act('replay', null) },
              t('operation.replayAll', { count: letters.length }),
            ),
          );
    const head = h(
      'div',
      { class: 'letters-head' },
      h('h3', {}, t('operation.givenUp')),
      h('button', { type: 'button', onclick: () => void this.refreshLetters() }, t('operation.lookAgain')),
    );
    if (letters.length === 0)
      return [head, h('p', { class: 'faint', id: 'no-letters' }, t('operation.nothingGivenUp'))];
    return [
      head,
      ...(all === null ? [] : [all]),
      h('ul', { class: 'letters' }, ...letters.map((letter) => this.drawLetter(letter))),
    ];
  }

  private drawLetter(letter: DeadLetterEntry): HTMLElement {
    const tries = h('ol', {}, ...letter.attempts.map(({ at, code }) => h('li', {}, `${dateTime(at)} ${code}`)));
    const drop = h('button', { type: 'button', class: 'danger' }, t('operation.forget'));
    // Asks for confirmation, as dropping can't be undone.
    drop.addEventListener('click', () => {
      if (drop.dataset['asked'] === undefined) {
        drop.dataset['asked'] = 'yes';
        drop.textContent = t('operation.reallyForget');
      } else void this.act('drop', letter.id);
    });
    return h(
      'li',
      { 'data-letter': letter.id },
      h(
        'p',
        {},
        h('strong', {}, letter.reason),
        letter.queue === 'study' ? '' : `, ${t('operation.resultFor', { queue: letter.queue })}`,
        letter.diedAt === null
          ? ''
          : `, ${dateTime(letter.diedAt)}, ${t('operation.afterTries', { count: letter.attempts.length })}`,
      ),
      h('p', { class: 'faint uid' }, letter.studyInstanceUid ?? t('operation.namesNoStudy')),
      letter.attempts.length === 0 ? null : h('details', {}, h('summary', {}, t('operation.tries')), tries),
      h(
        'p',
        { class: 'buttons' },
        h(
          'button',
          { type: 'button', class: 'replay', onclick: () => void this.act('replay', letter.id) },
          t('operation.tryAgain'),
        ),
        drop,
      ),
    );
  }

  private async act(action: 'replay' | 'drop', id: string | null): Promise<void> {
    try {
      const { done } = await post<DeadLettersDone>(
        id === null ? '/operators/dead-letters/replay-all' : `/operators/dead-letters/${id}/${action}`,
      );
      announce(t(action === 'replay' ? 'operation.triedAgain' : 'operation.forgotten', { count: done }));
    } catch (error) {
      announce(t('page.notDone', { why: (error as Error).message }));
    }
    await Promise.all([this.refreshLetters(), this.refresh()]);
  }
}

/** docs/list.md has each reason; those of a film are shown as codes. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  modality: t('operation.leftOut.modality'),
  'no-image': t('operation.leftOut.no-image'),
  'nothing-new': t('operation.leftOut.nothing-new'),
  'not-recorded': t('operation.leftOut.not-recorded'),
};

function leftOutPart(leftOut: Overview['leftOut']): HTMLElement {
  return h(
    'section',
    { 'aria-labelledby': 'left-out-title' },
    h('h3', { id: 'left-out-title' }, t('operation.leftOut.heading')),
    leftOut.length === 0
      ? h('p', { class: 'faint' }, t('operation.leftOut.none'))
      : table(
          [t('operation.leftOut.reason'), t('operation.studies')],
          leftOut.map(({ reason, studies }) => [
            LEFT_OUT[reason] ?? t('operation.leftOut.hidden', { reason }),
            String(studies),
          ]),
        ),
  );
}

/** Keeps the focus on the table of the same name when tables are redrawn. */
function keepingFocus(place: HTMLElement, redraw: () => void): void {
  const focused = place.contains(document.activeElement) ? document.activeElement?.getAttribute('aria-label') : null;
  redraw();
  for (const region of place.querySelectorAll<HTMLElement>('.wide'))
    if (region.getAttribute('aria-label') === (focused ?? '')) region.focus();
}

const failed = (error: unknown): HTMLElement[] => [
  h('p', { class: 'problem' }, t('operation.notReadable', { why: (error as Error).message })),
];

function drawOverview(overview: Overview): HTMLElement[] {
  const { queues, ages, states, leftOut, throughput } = overview;
  return [
    checksPart(overview),
    outagesPart(overview),
    workersPart(overview),
    h(
      'section',
      { 'aria-labelledby': 'queues-title' },
      h('h3', { id: 'queues-title' }, t('operation.queues')),
      queues === null
        ? h('p', { class: 'problem' }, t('operation.brokerAway'))
        : table(
            [t('operation.queue'), t('operation.studies'), t('operation.longestWait')],
            Object.entries(queues).map(([name, count]) => [
              QUEUES[name] ?? name,
              String(count),
              ages?.[name] === undefined || count === 0 ? '-' : duration(ages[name] * 1000),
            ]),
          ),
    ),
    deliveriesPart(overview),
    h(
      'section',
      { 'aria-labelledby': 'states-title' },
      h('h3', { id: 'states-title' }, t('operation.onList')),
      table(
        [t('list.state'), t('operation.studies')],
        Object.entries(states).map(([state, count]) => [stateName(state as never), String(count)]),
      ),
    ),
    leftOutPart(leftOut),
    h(
      'section',
      { 'aria-labelledby': 'done-title' },
      h('h3', { id: 'done-title' }, t('operation.perHour')),
      chart(throughput),
    ),
  ];
}

function chart(throughput: Overview['throughput']): HTMLElement {
  const most = Math.max(1, ...throughput.map(({ studies }) => studies));
  const total = throughput.reduce((sum, { studies }) => sum + studies, 0);
  const bars = throughput.map(({ hour, studies }) => {
    const column = h('span', { class: 'column', title: `${dateTime(hour)}: ${studies}` });
    column.style.height = `${(studies / most) * 100}%`;
    return column;
  });
  return h(
    'figure',
    {},
    h(
      'div',
      {
        class: 'chart',
        role: 'img',
        'aria-label': t('operation.last24', { total, most }),
      },
      ...bars,
    ),
    h('figcaption', { class: 'faint' }, t('operation.last24', { total, most })),
  );
}
