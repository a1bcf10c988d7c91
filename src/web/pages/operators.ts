import type { DeadLetterEntry, DeadLetterList, DeadLettersDone, Overview } from '../api/api-types.js';
import { get, post } from './api.js';
import { announce, byId, h } from './dom.js';
import { dateTime, duration, stateName } from './words.js';

const EVERY = 5_000;
const QUEUES: Readonly<Record<string, string>> = {
  intake: 'To be sorted',
  urgent: 'Urgent',
  routine: 'Routine',
  retry: 'Next try pending',
  dead: 'Given up',
};

/**
 * For whoever runs the service: what waits, what is out of order, how much was done, and the studies that were given
 * up. Nothing about a patient.
 */
export class OperatorsPage {
  private timer: number | undefined;
  private readonly page = byId('operators-page');
  private readonly overview = h('div', { class: 'overview' });
  private readonly letters = h('div', {});

  show(): void {
    if (this.page.childElementCount === 0)
      this.page.append(h('h2', { id: 'operators-title', tabindex: -1 }, 'Operation'), this.overview, this.letters);
    void this.refresh();
    void this.refreshLetters();
    clearInterval(this.timer);
    this.timer = window.setInterval(() => void this.refresh(), EVERY);
  }

  hide(): void {
    clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    try {
      this.overview.replaceChildren(...drawOverview(await get<Overview>('/operators/overview')));
    } catch (error) {
      this.overview.replaceChildren(
        h('p', { class: 'problem', role: 'alert' }, `No news: ${(error as Error).message}.`),
      );
    }
  }

  private async refreshLetters(): Promise<void> {
    try {
      const { letters } = await get<DeadLetterList>('/operators/dead-letters');
      this.letters.replaceChildren(...this.drawLetters(letters));
    } catch (error) {
      this.letters.replaceChildren(
        h('h3', {}, 'Given up'),
        h('p', { class: 'problem' }, `The dead letters could not be read: ${(error as Error).message}.`),
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
              `Try all ${letters.length} again`,
            ),
          );
    const head = h(
      'div',
      { class: 'letters-head' },
      h('h3', {}, 'Given up'),
      h('button', { type: 'button', onclick: () => void this.refreshLetters() }, 'Look again'),
    );
    if (letters.length === 0) return [head, h('p', { class: 'faint', id: 'no-letters' }, 'Nothing was given up.')];
    return [
      head,
      ...(all === null ? [] : [all]),
      h('ul', { class: 'letters' }, ...letters.map((letter) => this.drawLetter(letter))),
    ];
  }

  private drawLetter(letter: DeadLetterEntry): HTMLElement {
    const tries = h('ol', {}, ...letter.attempts.map(({ at, code }) => h('li', {}, `${dateTime(at)} ${code}`)));
    const drop = h('button', { type: 'button', class: 'danger' }, 'Forget');
    // Twice, as it can't be taken back.
    drop.addEventListener('click', () => {
      if (drop.dataset['asked'] === undefined) {
        drop.dataset['asked'] = 'yes';
        drop.textContent = 'Really forget?';
      } else void this.act('drop', letter.id);
    });
    return h(
      'li',
      { 'data-letter': letter.id },
      h(
        'p',
        {},
        h('strong', {}, letter.reason),
        letter.queue === 'study' ? '' : `, result for ${letter.queue}`,
        letter.diedAt === null ? '' : `, ${dateTime(letter.diedAt)}, after ${letter.attempts.length} tries`,
      ),
      h('p', { class: 'faint uid' }, letter.studyInstanceUid ?? 'It names no study.'),
      letter.attempts.length === 0 ? null : h('details', {}, h('summary', {}, 'Its tries'), tries),
      h(
        'p',
        { class: 'buttons' },
        h(
          'button',
          { type: 'button', class: 'replay', onclick: () => void this.act('replay', letter.id) },
          'Try again',
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
      announce(action === 'replay' ? `${done} tried again` : `${done} forgotten`);
    } catch (error) {
      announce(`Not done: ${(error as Error).message}`);
    }
    await Promise.all([this.refreshLetters(), this.refresh()]);
  }
}

/** docs/list.md has each reason; those of a film are named by their code. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  modality: 'No CR or DX image',
  'no-image': 'CR or DX, but no image',
  'nothing-new': 'Nothing new in it, or gone from the archive',
  'not-recorded': 'Reason not recorded (earlier version)',
};

function leftOutPart(leftOut: Overview['leftOut']): HTMLElement {
  return h(
    'section',
    { 'aria-labelledby': 'left-out-title' },
    h('h3', { id: 'left-out-title' }, 'Left out of the list, or hidden'),
    leftOut.length === 0
      ? h('p', { class: 'faint' }, 'None.')
      : table(
          ['Reason', 'Studies'],
          leftOut.map(({ reason, studies }) => [LEFT_OUT[reason] ?? `Hidden: ${reason}`, String(studies)]),
        ),
  );
}

function drawOverview({ queues, ages, checks, states, leftOut, throughput }: Overview): HTMLElement[] {
  return [
    h(
      'section',
      { 'aria-labelledby': 'checks-title' },
      h('h3', { id: 'checks-title' }, 'What the service needs'),
      h(
        'ul',
        { class: 'checks' },
        ...checks.map(({ name, problem }) =>
          h('li', { class: problem === null ? 'ok' : 'bad' }, h('strong', {}, name), ` ${problem ?? 'ok'}`),
        ),
      ),
    ),
    h(
      'section',
      { 'aria-labelledby': 'queues-title' },
      h('h3', { id: 'queues-title' }, 'Queues'),
      queues === null
        ? h('p', { class: 'problem' }, 'The broker does not answer.')
        : table(
            ['Queue', 'Studies', 'Longest wait'],
            Object.entries(queues).map(([name, count]) => [
              QUEUES[name] ?? name,
              String(count),
              ages?.[name] === undefined || count === 0 ? '-' : duration(ages[name] * 1000),
            ]),
          ),
    ),
    h(
      'section',
      { 'aria-labelledby': 'states-title' },
      h('h3', { id: 'states-title' }, 'Studies on the list'),
      table(
        ['State', 'Studies'],
        Object.entries(states).map(([state, count]) => [stateName(state as never), String(count)]),
      ),
    ),
    leftOutPart(leftOut),
    h(
      'section',
      { 'aria-labelledby': 'done-title' },
      h('h3', { id: 'done-title' }, 'Studies done per hour'),
      chart(throughput),
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))),
    h(
      'tbody',
      {},
      ...rows.map(([first, ...rest]) =>
        h('tr', {}, h('th', { scope: 'row' }, first ?? ''), ...rest.map((text) => h('td', {}, text))),
      ),
    ),
  );
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
        'aria-label': `${total} studies in the last 24 hours, at most ${most} in an hour`,
      },
      ...bars,
    ),
    h('figcaption', { class: 'faint' }, `${total} in the last 24 hours, at most ${most} in an hour`),
  );
}
