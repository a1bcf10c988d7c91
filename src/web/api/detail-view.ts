import { leadingFinding } from '../../finding/finding';
import { WITHDRAWN } from '../../finding/wording';
import type { FilmRecord } from '../../sinks/record';
import { isWithdrawn } from '../../sinks/statements';
import type { HistoryEntry, StudyDetail as ListDetail } from '../../worklist/worklist';
import type { FilmDetail, StudyDetail } from './contract';
import { objectPath } from './film-objects';
import {
  dateView,
  hasNoPicture,
  heatMapPath,
  iso,
  picturePath,
  reportPath,
  resultView,
  type Rights,
  rowView,
} from './row-view';

/** A viewer that opens a study: `{StudyInstanceUID}`, `{AccessionNumber}` and `{PatientID}` are filled in. */
export interface Viewer {
  readonly name: string;
  readonly url: string;
}

/** A study as the API answers it; null for one that is not shown. */
export function detailView(
  { row, record, history, verdicts }: ListDetail,
  rights: Rights,
  viewers: readonly Viewer[],
): StudyDetail | null {
  const view = rowView(row, rights);
  if (view === null) return null;
  return {
    row: view,
    films: (record?.films ?? []).map((film) => filmView(film, row.studyInstanceUid, rights)),
    history: [...history]
      .reverse()
      .map(({ at, kind, detail }) => ({ at: iso(at), text: historyWords(kind, detail, rights) })),
    verdicts: rights.patients
      ? verdicts.map(({ at, by, verdict, note, recordKey }) => ({
          at: iso(at),
          by: by.name,
          account: by.id,
          verdict,
          note,
          current: recordKey === (record?.key ?? null),
        }))
      : [],
    viewers: rights.patients ? viewers.map(({ name, url }) => ({ name, url: filled(url, row) })) : [],
    models: record?.models ?? [],
    softwareVersion: record?.softwareVersion ?? null,
    studyDate: rights.patients ? dateView(row.studyDate) : '',
    mayJudge: rights.patients && record !== null,
  };
}

export function filmView(
  film: FilmRecord,
  study: ListDetail['row']['studyInstanceUid'],
  { patients }: Rights,
): FilmDetail {
  const { sopInstanceUid, outcome, reasonText, findings, lungFraction } = film;
  const isThere = patients && film.seriesInstanceUid !== null;
  const isDrawable = !hasNoPicture(film.reason);
  return {
    sopInstanceUid,
    outcome,
    reasonText,
    lungFraction,
    // View Position is a word of the film's header, which may be any.
    view: [film.view ?? '', patients ? film.viewPosition : ''].filter((text) => text !== '').join(', '),
    result: resultView(findings),
    finding: leadingFinding(film)?.code.meaning ?? null,
    remarks: [...(isWithdrawn(film) ? [WITHDRAWN] : []), ...film.remarks],
    picture: isThere && isDrawable ? picturePath(study, sopInstanceUid) : null,
    noPicture: !patients || (isThere && isDrawable) ? null : isDrawable ? 'not-in-archive' : 'undecodable',
    heatMap: isThere && objectPath(study, film, 'heatMap') !== null ? heatMapPath(study, sopInstanceUid) : null,
    report: patients && objectPath(study, film, 'report') !== null ? reportPath(study, sopInstanceUid) : null,
  };
}

/** What was done, in words. Who gave a priority or a verdict is for those who may see the patient. */
function historyWords(kind: HistoryEntry['kind'], detail: HistoryEntry['detail'], { patients }: Rights): string {
  const of = (name: string) =>
    typeof detail[name] === 'string' || typeof detail[name] === 'number' ? String(detail[name]) : '';
  const account = of('byId') === '' ? '' : ` (${of('byId')})`;
  const by = patients && of('by') !== '' ? ` by ${of('by')}${account}` : '';
  switch (kind) {
    case 'waiting':
      return `arrived and waits${of('priority') === '' ? '' : `, ${of('priority')}`}`;
    case 'analysing':
      return `analysis begun${of('attempt') === '' || of('attempt') === '1' ? '' : `, try ${of('attempt')}`}`;
    case 'returned':
      return 'given back between two films, goes on later';
    case 'retry':
      return `failed with ${of('reason')}, to be tried again`;
    case 'failed':
      return `given up: ${of('reason')}`;
    case 'nothing-new':
      return 'looked at again: nothing new';
    case 'result':
      return (
        `result of ${of('films')} film(s) stored, unverified` +
        (detail['priority'] === 'urgent' ? ', at or above the operating point' : '') +
        replacedWords(detail['supersedes']) +
        withdrawnWords(detail['withdrawn']) +
        findingWords(detail['finding']) +
        (detail['isUnreadAgain'] === true ? '; to be read again' : '')
      );
    case 'attributes-corrected':
      return `${correctedWords(of('how'))}: ${textsIn(detail['attributes']).join(', ')}`;
    case 'priority':
      if (of('how') === 'ris') return `order in the RIS: ${of('priority') || 'no priority any more'}`;
      return detail['priority'] === 'urgent' ? `marked as urgent${by}` : `own urgent mark taken back${by}`;
    case 'verdict':
      return `verdict: ${patients ? `${of('verdict')}${by}` : 'given'}${findingWords(detail['finding'])}`;
    case 'claim':
      return patients && of('from') !== '' ? `taken over from ${of('from')} (${of('fromId')})${by}` : `opened${by}`;
    case 'release':
      return `given back unread${by}`;
    case 'read':
      return of('how') === 'ris' ? 'read: the RIS has a final report' : `marked as read${by}`;
    case 'unread':
      return `marked as unread${by}`;
  }
}

const correctedWords = (how: string) => `corrected ${how === 'ris' ? 'by the RIS' : 'in the archive'}`;

/** What became of the finding's word on the order. */
function findingWords(effect: unknown): string {
  if (effect === 'withdrawn') return '; the finding makes it urgent no more';
  return effect === 'restored' ? '; the finding counts for the order again' : '';
}

function withdrawnWords(reasons: unknown): string {
  const codes = textsIn(reasons);
  return codes.length === 0 ? '' : `; withdrawn, because films were rejected: ${codes.join(', ')}`;
}

function replacedWords(supersedes: unknown): string {
  const reports = textsIn(supersedes);
  return reports.length === 0 ? '' : `; replaces the result of the earlier report(s) ${reports.join(', ')}`;
}

function textsIn(values: unknown): string[] {
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
}

function filled(template: string, { studyInstanceUid, accessionNumber, patient }: ListDetail['row']): string {
  const values: Readonly<Record<string, string>> = {
    StudyInstanceUID: studyInstanceUid,
    AccessionNumber: accessionNumber,
    PatientID: patient.PatientID,
  };
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    values[name] === undefined ? whole : encodeURIComponent(values[name]),
  );
}
