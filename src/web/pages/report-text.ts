import type { FilmReport, StudyDetail } from '../api/api-types.js';
import { announce, h } from './dom.js';
import { t } from './language.js';
import { dateWords } from './words.js';

/** The report as plain text for the clipboard: with the research notice, and without the patient's name. */
export function reportPlainText({ summary, statements }: FilmReport, { row, studyDate, models }: StudyDetail): string {
  const study = [
    row.accessionNumber ? t('report.accession', { number: row.accessionNumber }) : '',
    studyDate ? t('report.studyOf', { date: dateWords(studyDate) }) : '',
  ].filter((text) => text !== '');
  return [
    t('research.statement'),
    ...(study.length === 0 ? [] : [study.join(', ')]),
    summary,
    ...statements.map(({ name, value }) => `${name}: ${value}`),
    t('study.madeBy', { models: models.map(({ id, version }) => `${id} ${version}`).join(', ') }),
    t('research.sentence'),
    '',
  ].join('\n');
}

export function copyButton(text: () => string): HTMLElement {
  const copy = async () => {
    announce(t((await copied(text())) ? 'report.copied' : 'report.notCopied'));
  };
  return h('button', { type: 'button', id: 'copy-report', onclick: () => void copy() }, t('report.copy'));
}

/** The clipboard API needs HTTPS or localhost; without it the older command is used where the browser has it. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h('textarea', { class: 'for-readers', 'aria-hidden': 'true', tabindex: -1 });
    field.value = text;
    document.body.append(field);
    const before = document.activeElement;
    field.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without HTTPS
    const isDone = document.execCommand('copy');
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    return isDone;
  }
}
