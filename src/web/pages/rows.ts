import type { RowResult, Session, StudyRow } from '../api/api-types.js';
import { h } from './dom.js';
import { t } from './language.js';
import { claimOf, duration, resultWords, since, stateName, stateWords, urgentWords, workWords } from './words.js';

/** Titles of the columns; those about a patient are left out for whoever may not see them. */
export function columns({ maySeePatients }: Session): readonly string[] {
  return [
    'Priority',
    ...(maySeePatients ? ['Film', 'Patient'] : []),
    'Result',
    'View',
    'Waiting',
    ...(maySeePatients ? ['Open'] : []),
  ];
}

/** One row. What changes with the clock alone is in `.since`, see {@link tick}. */
export function drawRow(row: StudyRow, session: Session): HTMLElement {
  const cells = [
    priorityCell(row),
    ...(session.maySeePatients ? [filmCell(row), patientCell(row)] : []),
    resultCell(row),
    viewCell(row),
    waitingCell(row),
    ...(session.maySeePatients ? [openCell(row, session)] : []),
  ];
  const element = h(
    'div',
    {
      class: ['row', `state-${row.state}`, row.priority, row.hidden ? 'is-hidden' : ''].join(' ').trim(),
      role: 'row',
      tabindex: -1,
      'data-uid': row.studyInstanceUid,
      'aria-label': rowWords(row),
    },
    ...cells,
  );
  return element;
}

/** What a screen reader says of a row at once. */
function rowWords(row: StudyRow): string {
  const who = [row.patient?.name ?? '', row.accessionNumber ? `accession ${row.accessionNumber}` : ''].filter(
    (text) => text !== '',
  );
  return [
    row.priority,
    ...who,
    resultWords(row),
    row.result === null ? '' : t('research.short'),
    `arrived ${since(row.arrivedAt)} ago`,
    workWords(row),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function cell(name: string, ...children: Parameters<typeof h>[2][]): HTMLElement {
  return h('div', { class: `cell ${name}`, role: 'gridcell' }, ...children);
}

function priorityCell(row: StudyRow): HTMLElement {
  return cell(
    'priority',
    h('span', { class: 'badge', title: urgentWords(row) }, row.priority === 'urgent' ? 'Urgent' : 'Routine'),
  );
}

function filmCell({ leadFilm }: StudyRow): HTMLElement {
  if (leadFilm === null) return cell('films', h('span', { class: 'thumb blank' }), h('span', { class: 'thumb blank' }));
  const film = thumb(leadFilm.picture, 'Film');
  return cell(
    'films',
    film,
    leadFilm.heatMap === null
      ? h('span', { class: 'thumb blank' })
      : thumb(`${leadFilm.heatMap}&part=film`, `Heat map, ${t('research.short')}`),
  );
}

/**
 * The address waits in `data-src` until the row has stayed in sight for a moment: scrolling past a thousand rows asks
 * for nothing.
 */
function thumb(path: string, alt: string): HTMLElement {
  return h('img', {
    class: 'thumb',
    alt,
    width: 48,
    height: 48,
    'data-src': `${path.includes('?') ? path : `${path}?`}${path.includes('?') ? '&' : ''}size=96`,
  });
}

/** Pictures of the rows in sight are asked for now. */
export function loadThumbs(within: HTMLElement): void {
  for (const image of within.querySelectorAll<HTMLImageElement>('img[data-src]')) {
    image.onerror = () => image.classList.add('blank');
    image.src = image.dataset['src'] ?? '';
    delete image.dataset['src'];
  }
}

/** The list is not looked at: what has not come yet is left, so that the pictures of a study need not wait for it. */
export function leaveThumbs(within: HTMLElement): void {
  for (const image of within.querySelectorAll<HTMLImageElement>('img.thumb[src]')) {
    if (image.complete) continue;
    image.dataset['src'] = image.getAttribute('src') ?? '';
    image.removeAttribute('src');
  }
}

function patientCell({ patient, accessionNumber, studyDescription }: StudyRow): HTMLElement {
  const name = patient?.name || patient?.id || 'Patient not stated';
  const about = [patient?.id, patient?.birthDate, patient?.sex].filter(Boolean).join(' · ');
  return cell(
    'patient',
    h('strong', {}, name),
    h('span', { class: 'faint' }, about),
    h('span', { class: 'faint accession' }, [accessionNumber, studyDescription].filter(Boolean).join(' · ')),
  );
}

function resultCell(row: StudyRow): HTMLElement {
  if (row.result === null) return cell('result', h('span', { class: `chip chip-${row.state}` }, stateWords(row)));
  const verdict =
    row.verdict === null ? null : h('span', { class: `verdict verdict-${row.verdict}` }, t(`verdict.${row.verdict}`));
  const words = h(
    'span',
    { class: 'words' },
    h('strong', {}, `${row.result.probabilityText} %`),
    ` · ${row.result.reached ? 'at or above' : 'below'} ${row.result.thresholdText} %`,
  );
  return cell(
    'result',
    h(
      'span',
      { class: 'line' },
      words,
      row.state === 'done' ? null : h('span', { class: 'chip' }, stateName(row.state)),
      verdict,
    ),
    bar(row.result),
    h(
      'span',
      { class: 'faint small' },
      `${row.result.reached ? '' : 'No statement about absence. '}${t('research.unverified')}`,
    ),
  );
}

/** The probability as a bar, with a mark at the operating point. */
export function bar({ probability, threshold, probabilityText, thresholdText, reached }: RowResult): HTMLElement {
  const fill = h('span', { class: `fill ${reached ? 'reached' : ''}` });
  const mark = h('span', { class: 'mark' });
  fill.style.width = `${probability * 100}%`;
  mark.style.left = `${threshold * 100}%`;
  return h(
    'span',
    {
      class: 'bar',
      role: 'img',
      'aria-label': `Probability ${probabilityText} per cent, operating point ${thresholdText} per cent`,
    },
    fill,
    mark,
  );
}

function viewCell({ views, films }: StudyRow): HTMLElement {
  return cell(
    'view',
    h('span', {}, views.length === 0 ? '-' : views.join(', ')),
    films > 1 ? h('span', { class: 'faint' }, `${films} films`) : null,
  );
}

/** Links into the viewers; they open beside the list. */
function openCell(row: StudyRow, { viewers }: Session): HTMLElement {
  return cell(
    'open',
    ...viewers.slice(0, 2).map(({ name, url }) =>
      h(
        'a',
        {
          href: filled(url, row),
          target: '_blank',
          rel: 'noopener noreferrer',
          tabindex: -1,
          'aria-label': `Open in ${name}`,
        },
        name,
      ),
    ),
  );
}

function filled(template: string, { studyInstanceUid, accessionNumber, patient }: StudyRow): string {
  const values: Readonly<Record<string, string>> = {
    StudyInstanceUID: studyInstanceUid,
    AccessionNumber: accessionNumber ?? '',
    PatientID: patient?.id ?? '',
  };
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    values[name] === undefined ? whole : encodeURIComponent(values[name]),
  );
}

/** The wait ends with the result; then somebody reads it. */
function waitingCell(row: StudyRow): HTMLElement {
  const { arrivedAt, completedAt, state } = row;
  const title = new Date(arrivedAt).toLocaleString();
  const isOver = completedAt !== null && state !== 'waiting' && state !== 'analysing';
  const wait = isOver ? `waited ${duration(Date.parse(completedAt) - Date.parse(arrivedAt))}` : since(arrivedAt);
  const claim = claimOf(row);
  return cell(
    'waiting',
    h(
      'span',
      { class: `work-words ${claim === null ? '' : 'claimed'}`, 'data-until': claim?.until },
      row.read === null && claim === null && !isOver && state !== 'failed' ? null : workWords(row),
    ),
    h('time', { class: isOver ? 'faint small' : 'since', datetime: arrivedAt, title }, wait),
  );
}

/** Brings the waiting times up to date, and takes claims away whose time is over. */
export function tick(within: HTMLElement): void {
  for (const words of within.querySelectorAll<HTMLElement>('.claimed')) {
    if (Date.parse(words.dataset['until'] ?? '') > Date.now()) continue;
    words.textContent = 'Unread';
    words.classList.remove('claimed');
  }
  for (const time of within.querySelectorAll<HTMLTimeElement>('time.since')) {
    const text = since(time.dateTime);
    if (time.textContent !== text) time.textContent = text;
  }
}
