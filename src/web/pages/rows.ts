import type { RowResult, Session, StudyRow } from '../api/api-types.js';
import type { ColumnKey } from './address.js';
import { h } from './dom.js';
import { figure, t } from './language.js';
import {
  claimOf,
  clock,
  dateWords,
  day,
  duration,
  resultWords,
  since,
  stateName,
  stateWords,
  urgentWords,
  viewWords,
  workWords,
  zonedTime,
} from './words.js';

export const COLUMN_WORDS: Readonly<Record<ColumnKey, string>> = {
  priority: t('list.priority'),
  film: t('list.column.film'),
  patient: t('list.column.patient'),
  view: t('list.view'),
  waiting: t('list.column.waiting'),
  arrived: t('list.arrived'),
  open: t('list.column.open'),
};

interface Column {
  readonly key: ColumnKey | 'result';
  readonly title: string;
  /** Width of the grid column, in CSS. */
  readonly width: string;
  readonly cell: (row: StudyRow, session: Session) => HTMLElement;
}

/** In the order of display. */
const COLUMNS: readonly Column[] = [
  { key: 'priority', title: COLUMN_WORDS.priority, width: '92px', cell: priorityCell },
  { key: 'film', title: COLUMN_WORDS.film, width: '118px', cell: filmCell },
  { key: 'patient', title: COLUMN_WORDS.patient, width: 'minmax(180px, 1.4fr)', cell: patientCell },
  { key: 'result', title: t('list.column.result'), width: 'minmax(240px, 2fr)', cell: resultCell },
  { key: 'view', title: COLUMN_WORDS.view, width: '92px', cell: viewCell },
  { key: 'waiting', title: COLUMN_WORDS.waiting, width: '132px', cell: waitingCell },
  { key: 'arrived', title: COLUMN_WORDS.arrived, width: '104px', cell: arrivedCell },
  { key: 'open', title: COLUMN_WORDS.open, width: '72px', cell: openCell },
];

/** The chosen columns, and the result. */
export function columnsOf(chosen: readonly ColumnKey[]): readonly Column[] {
  return COLUMNS.filter(({ key }) => key === 'result' || chosen.includes(key));
}

/** Draws one row. Parts that change with the clock are in `.since`, see {@link tick}. */
export function drawRow(row: StudyRow, session: Session, columns: readonly Column[]): HTMLElement {
  return h(
    'div',
    {
      class: ['row', `state-${row.state}`, row.priority, row.hidden ? 'is-hidden' : ''].join(' ').trim(),
      role: 'row',
      tabindex: -1,
      'data-uid': row.studyInstanceUid,
      'aria-label': rowWords(row),
    },
    ...columns.map(({ cell: draw }) => draw(row, session)),
  );
}

/** Text of a row for screen readers. */
function rowWords(row: StudyRow): string {
  const { patient, accessionNumber } = row;
  const who = [
    patient === undefined ? '' : patient.name || patientIdWords(patient.id),
    accessionNumber ? t('report.accession', { number: accessionNumber }) : '',
  ];
  return [
    t(`priority.${row.priority}`),
    ...who,
    resultWords(row),
    row.result === null ? '' : t('research.short'),
    t('list.row.arrivedAgo', { time: since(row.arrivedAt) }),
    workWords(row),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function patientIdWords(id: string): string {
  return id ? t('list.row.patientId', { id }) : t('study.patientNotStated');
}

function cell(name: string, ...children: Parameters<typeof h>[2][]): HTMLElement {
  return h('div', { class: `cell ${name}`, role: 'gridcell' }, ...children);
}

function priorityCell(row: StudyRow): HTMLElement {
  return cell('priority', h('span', { class: 'badge', title: urgentWords(row) }, t(`priority.${row.priority}`)));
}

function filmCell({ leadFilm }: StudyRow): HTMLElement {
  if (leadFilm === null) return cell('films', h('span', { class: 'thumb blank' }), h('span', { class: 'thumb blank' }));
  const film = thumb(leadFilm.picture, t('list.column.film'));
  return cell(
    'films',
    film,
    leadFilm.heatMap === null
      ? h('span', { class: 'thumb blank' })
      : thumb(`${leadFilm.heatMap}&part=film`, t('list.row.heatMap', { research: t('research.short') })),
  );
}

/**
 * The URL stays in `data-src` until the row has been visible for a moment, so that scrolling past a thousand rows
 * requests nothing.
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

/** Requests the pictures of the visible rows. */
export function loadThumbs(within: HTMLElement): void {
  for (const image of within.querySelectorAll<HTMLImageElement>('img[data-src]')) {
    image.onerror = () => {
      image.classList.add('blank');
      // Without a text alternative, browsers draw no broken picture.
      image.alt = '';
    };
    image.src = image.dataset['src'] ?? '';
    delete image.dataset['src'];
  }
}

/** The list is hidden: pending picture requests are dropped, so that the pictures of a study need not wait for them. */
export function leaveThumbs(within: HTMLElement): void {
  for (const image of within.querySelectorAll<HTMLImageElement>('img.thumb[src]')) {
    if (image.complete) continue;
    image.dataset['src'] = image.getAttribute('src') ?? '';
    image.removeAttribute('src');
  }
}

function patientCell({ patient, accessionNumber, studyDescription }: StudyRow): HTMLElement {
  const name = patient?.name || patient?.id || t('study.patientNotStated');
  const about = [patient?.id, dateWords(patient?.birthDate ?? ''), patient?.sex].filter(Boolean).join(' · ');
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
    h('strong', {}, `${row.result.label} ${figure(row.result.probabilityText)} %`),
    ` · ${t(row.result.reached ? 'result.shortReached' : 'result.shortBelow')} ${figure(row.result.thresholdText)} %`,
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
      `${row.result.reached ? '' : `${t('result.noStatement')} `}${t('research.unverified')}`,
    ),
  );
}

/** The probability as a bar with a mark at the operating point. */
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
      'aria-label': t('result.bar', { probability: figure(probabilityText), point: figure(thresholdText) }),
    },
    fill,
    mark,
  );
}

function viewCell({ views, films }: StudyRow): HTMLElement {
  return cell(
    'view',
    h('span', {}, views.length === 0 ? '-' : viewWords(views.join(', '))),
    films > 1 ? h('span', { class: 'faint' }, t('list.row.films', { count: films })) : null,
  );
}

/** Links that open the viewers beside the list. */
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
          'aria-label': t('study.openIn', { viewer: name }),
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

/** The waiting time ends with the result; after that the reading state is shown. */
function waitingCell(row: StudyRow): HTMLElement {
  const { arrivedAt, completedAt, state } = row;
  const title = t('list.row.arrivedAt', { at: zonedTime(arrivedAt) });
  const isOver = completedAt !== null && state !== 'waiting' && state !== 'analysing';
  const wait = isOver
    ? t('list.row.waited', { time: duration(Date.parse(completedAt) - Date.parse(arrivedAt)) })
    : since(arrivedAt);
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

function arrivedCell({ arrivedAt }: StudyRow): HTMLElement {
  return cell(
    'arrived',
    h(
      'time',
      { datetime: arrivedAt, title: zonedTime(arrivedAt) },
      h('span', {}, day(arrivedAt)),
      ' ',
      h('span', {}, clock(arrivedAt)),
    ),
  );
}

/** Updates the waiting times and removes expired claims. */
export function tick(within: HTMLElement): void {
  for (const words of within.querySelectorAll<HTMLElement>('.claimed')) {
    if (Date.parse(words.dataset['until'] ?? '') > Date.now()) continue;
    words.textContent = t('work.unread');
    words.classList.remove('claimed');
  }
  for (const time of within.querySelectorAll<HTMLTimeElement>('time.since')) {
    const text = since(time.dateTime);
    if (time.textContent !== text) time.textContent = text;
  }
}
