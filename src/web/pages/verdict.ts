import type { Agreement, GivenVerdict, ListVerdict, StudyDetail } from '../api/api-types.js';
import { get, post } from './api.js';
import { announce, h } from './dom.js';
import { dateTime, percent, VERDICT_WORDS } from './words.js';

const NOTE_LENGTH = 2000;
/** Keys by which a verdict is chosen; it is given by Enter, from the note. */
const KEYS: Readonly<Record<string, ListVerdict>> = { a: 'agree', d: 'disagree', u: 'unusable' };

/** What a radiologist says of the result, and how often they have agreed so far. */
export function verdictPart(detail: StudyDetail, reload: () => void): HTMLElement {
  const { row, verdicts } = detail;
  const part = h(
    'section',
    { class: 'verdicts', 'aria-labelledby': 'verdict-title' },
    h('h3', { id: 'verdict-title' }, 'Verdict'),
  );
  if (detail.mayJudge && row.completedAt !== null) part.append(form(detail, reload));
  if (verdicts.length > 0)
    part.append(
      h(
        'ul',
        { class: 'verdict-list' },
        ...verdicts.map(({ at, by, account, verdict, note, current }) =>
          h(
            'li',
            {},
            h('strong', {}, VERDICT_WORDS[verdict]),
            ` by ${by}${account === null ? '' : ` (${account})`}, ${dateTime(at)}`,
            current ? '' : ' (about an earlier result)',
            note === '' ? null : h('blockquote', {}, note),
          ),
        ),
      ),
    );
  const running = h('p', { class: 'agreement', id: 'agreement' });
  void get<Agreement>('/agreement').then(
    (agreement) => (running.textContent = agreementWords(agreement)),
    () => undefined,
  );
  part.append(running);
  return part;
}

/** A key that chooses a verdict: nothing is sent yet, and the note has the focus. False where it chooses none. */
export function pressVerdict(page: HTMLElement, key: string): boolean {
  const verdict = KEYS[key];
  const element = page.querySelector<HTMLFormElement>('#verdict-form');
  if (verdict === undefined || element === null) return false;
  element.dispatchEvent(new CustomEvent('choose', { detail: verdict }));
  return true;
}

function form({ row }: StudyDetail, reload: () => void): HTMLElement {
  const note = h('textarea', { id: 'note', name: 'note', rows: 2, maxlength: NOTE_LENGTH });
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const choice = (verdict: ListVerdict) =>
    h(
      'button',
      {
        type: 'submit',
        name: 'verdict',
        value: verdict,
        class: `verdict-button verdict-${verdict}`,
        'aria-pressed': String(row.verdict === verdict),
      },
      VERDICT_WORDS[verdict],
    );
  const element = h(
    'form',
    { id: 'verdict-form' },
    h('label', { for: 'note' }, 'Note (optional, nothing that names the patient)'),
    note,
    h('div', { class: 'buttons' }, choice('agree'), choice('disagree'), choice('unusable')),
    problem,
  );
  const chosen = h('p', { class: 'chosen', role: 'status' });
  element.append(chosen);
  let choiceOfKeys: ListVerdict | null = null;
  const choose = (verdict: ListVerdict | null) => {
    choiceOfKeys = verdict;
    chosen.textContent = verdict === null ? '' : `${VERDICT_WORDS[verdict]}: Enter keeps it, Esc does not.`;
  };
  element.addEventListener('choose', (event) => {
    choose((event as CustomEvent<ListVerdict>).detail);
    note.focus();
  });
  note.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') choose(null);
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || choiceOfKeys === null) return;
    event.preventDefault();
    send(choiceOfKeys);
  });
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    send((event.submitter as HTMLButtonElement).value as ListVerdict);
  });
  const send = (verdict: ListVerdict) => {
    choose(null);
    post(`/studies/${row.studyInstanceUid}/verdict`, { verdict, note: note.value.trim() } satisfies GivenVerdict).then(
      () => {
        announce(`Verdict kept: ${VERDICT_WORDS[verdict]}`);
        reload();
      },
      (error: unknown) => {
        problem.textContent = `The verdict was not kept: ${error instanceof Error ? error.message : String(error)}.`;
        problem.hidden = false;
      },
    );
  };
  return element;
}

function agreementWords({ agree, disagree, unusable, share }: Agreement): string {
  const unusables = unusable === 0 ? '' : ` ${unusable} called unusable.`;
  if (share === null) return `Nobody has agreed or disagreed with a result yet.${unusables}`;
  return (
    `Agreement so far: ${agree} of ${agree + disagree}, ${percent(share.value)} (95 % interval ` +
    `${percent(share.low)} to ${percent(share.high)}).${unusables}`
  );
}
