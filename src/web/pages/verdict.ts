import type { Agreement, GivenVerdict, ListVerdict, StudyDetail } from '../api/api-types.js';
import { ApiError, get, post } from './api.js';
import { announce, h } from './dom.js';
import { t } from './language.js';
import { dateTime, percent } from './words.js';

const NOTE_LENGTH = 2000;
/** Keys that choose a verdict; Enter in the note sends it. */
const KEYS: Readonly<Record<string, ListVerdict>> = { a: 'agree', d: 'disagree', u: 'unusable' };

/** The study whose verdict was refused because it has another result by now, until that one is shown. */
let refused: string | null = null;

/** Verdict of the radiologist on the result, and the agreement so far. */
export function verdictPart(detail: StudyDetail, reload: () => void): HTMLElement {
  const { row, verdicts } = detail;
  const part = h(
    'section',
    { class: 'verdicts', 'aria-labelledby': 'verdict-title' },
    h('h3', { id: 'verdict-title' }, t('verdict.heading')),
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
            h('strong', {}, t(`verdict.${verdict}`)),
            ` ${t('verdict.by', { name: account === null ? by : `${by} (${account})`, at: dateTime(at) })}`,
            current ? '' : ` ${t('verdict.earlier')}`,
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

/** Handles a key that chooses a verdict: nothing is sent yet, and the note gets the focus. False for other keys. */
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
  const choice = (verdict: ListVerdict) => button(verdict, row.verdict === verdict);
  if (refused === row.studyInstanceUid) {
    problem.textContent = t('verdict.otherResult');
    problem.hidden = false;
  }
  refused = null;
  const element = h(
    'form',
    { id: 'verdict-form' },
    h('label', { for: 'note' }, t('verdict.note')),
    note,
    h('div', { class: 'buttons' }, choice('agree'), choice('disagree'), choice('unusable')),
    problem,
  );
  const chosen = h('p', { class: 'chosen', role: 'status' });
  element.append(chosen);
  let choiceOfKeys: ListVerdict | null = null;
  const choose = (verdict: ListVerdict | null) => {
    choiceOfKeys = verdict;
    chosen.textContent = verdict === null ? '' : t('verdict.chosen', { verdict: t(`verdict.${verdict}`) });
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
    const given = { verdict, note: note.value.trim(), ...shownResult(row) } satisfies GivenVerdict;
    post(`/studies/${row.studyInstanceUid}/verdict`, given).then(
      () => {
        announce(t('verdict.kept', { verdict: t(`verdict.${verdict}`) }));
        note.value = '';
        reload();
      },
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 409) {
          refused = row.studyInstanceUid;
          reload();
          return;
        }
        problem.textContent = t('verdict.notKept', { why: error instanceof Error ? error.message : String(error) });
        problem.hidden = false;
      },
    );
  };
  return element;
}

function button(verdict: ListVerdict, isGiven: boolean): HTMLElement {
  return h(
    'button',
    {
      type: 'submit',
      name: 'verdict',
      value: verdict,
      class: `verdict-button verdict-${verdict}`,
      'aria-pressed': String(isGiven),
    },
    t(`verdict.${verdict}`),
  );
}

/** Which result the verdict is on. */
const shownResult = ({ completedAt }: StudyDetail['row']) => (completedAt === null ? {} : { completedAt });

function agreementWords({ agree, disagree, unusable, share }: Agreement): string {
  const unusables = unusable === 0 ? '' : ` ${t('verdict.unusables', { count: unusable })}`;
  if (share === null) return `${t('verdict.agreementNone')}${unusables}`;
  const [value, low, high] = [share.value, share.low, share.high].map(percent) as [string, string, string];
  return `${t('verdict.agreement', { agree, all: agree + disagree, share: value, low, high })}${unusables}`;
}
