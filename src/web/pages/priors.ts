import type { PriorStudies, PriorStudy, StudyDetail } from '../api/api-types.js';
import { get } from './api.js';
import { h } from './dom.js';
import { figure, t } from './language.js';
import { dateWords, stateName } from './words.js';

/** Prior studies of the patient as a strip; each opens beside the film. Null where the user may not see patients. */
export function priorStrip(
  { row }: StudyDetail,
  ready: Promise<void>,
  compare: (prior: PriorStudy | null) => void,
): HTMLElement | null {
  if (row.patient === undefined) return null;
  const list = h('ul', {}, h('li', { class: 'faint' }, t('priors.looking')));
  const title = h('h3', { id: 'priors-title' }, t('priors.heading'));
  const strip = h('section', { class: 'priors', 'aria-labelledby': 'priors-title' }, title, list);
  void ready
    .then(() => get<PriorStudies>(`/studies/${row.studyInstanceUid}/priors`))
    .then(
      ({ priors }) => {
        if (priors.length === 0) list.replaceChildren(h('li', { class: 'faint' }, t('priors.none')));
        else list.replaceChildren(...cards(priors, compare));
      },
      () => list.replaceChildren(h('li', { class: 'problem' }, t('priors.unreadable'))),
    );
  return strip;
}

function cards(priors: readonly PriorStudy[], compare: (prior: PriorStudy | null) => void): HTMLElement[] {
  const buttons: HTMLElement[] = [];
  return priors.map((prior) => {
    const { film, result, studyDate, state } = prior;
    const picture =
      film === null || film.picture === null
        ? h('span', { class: 'thumb blank' })
        : h('img', { class: 'thumb', alt: '', src: `${film.picture}?size=256`, fetchpriority: 'low' });
    const words =
      result === null
        ? stateName(state)
        : `${result.label} ${figure(result.probabilityText)} %, ${t(result.reached ? 'result.shortReached' : 'result.shortBelow')}`;
    const button = h(
      'button',
      { type: 'button', class: 'prior', 'aria-pressed': 'false' },
      picture,
      h('span', { class: 'when' }, dateWords(studyDate) || t('priors.dateNotStated')),
      h('span', { class: 'small' }, words),
    );
    button.addEventListener('click', () => {
      const isOpen = button.getAttribute('aria-pressed') === 'true';
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button && !isOpen));
      compare(isOpen ? null : prior);
    });
    buttons.push(button);
    return h('li', {}, button);
  });
}
