import { isInShadow, leadingFinding } from '../../finding/finding';
import { WITHDRAWN } from '../../finding/wording';
import { type Key, type Needed, type Said, say } from '../../language/say';
import { ENGLISH, recognised } from '../../language/words';
import type { FilmRecord } from '../../sinks/record';
import { isWithdrawn } from '../../sinks/statements';
import { VERDICTS } from '../../worklist/states';
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

/** A viewer's URL with the placeholders `{StudyInstanceUID}`, `{AccessionNumber}` and `{PatientID}`. */
export interface Viewer {
  readonly name: string;
  readonly url: string;
}

/** A study in the API's form; null for one that is not shown. */
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
    history: [...history].reverse().map(({ at, kind, detail }) => {
      const parts = historySaid(kind, detail, rights);
      return {
        at: iso(at),
        text: parts.map(({ text }) => text).join(''),
        said: parts.map(({ key, values }) => ({ key, values })),
      };
    }),
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
  const { sopInstanceUid, outcome, reason, reasonText, findings, lungFraction } = film;
  const remarks = [...(isWithdrawn(film) ? [WITHDRAWN] : []), ...film.remarks];
  const inShadow = isInShadow(film);
  const isThere = patients && film.seriesInstanceUid !== null;
  const isDrawable = !hasNoPicture(reason);
  const why = isDrawable ? 'not-in-archive' : reason === 'blank-image' ? 'blank' : 'undecodable';
  return {
    sopInstanceUid,
    outcome,
    reason,
    reasonText,
    lungFraction,
    // View Position comes from the film's header and may be any text.
    view: [film.view ?? '', patients ? film.viewPosition : ''].filter((text) => text !== '').join(', '),
    result: resultView(findings),
    inShadow,
    finding: leadingFinding(film)?.code.meaning ?? null,
    remarks,
    remarksSaid: remarks.map(recognised),
    picture: isThere && isDrawable ? picturePath(study, sopInstanceUid) : null,
    noPicture: !patients || (isThere && isDrawable) ? null : why,
    // The list shows the film's part of the picture, without the words below it.
    heatMap:
      isThere && !inShadow && objectPath(study, film, 'heatMap') !== null ? heatMapPath(study, sopInstanceUid) : null,
    report: patients && objectPath(study, film, 'report') !== null ? reportPath(study, sopInstanceUid) : null,
  };
}

/** A history entry as messages. The author of a priority or a verdict is only for users who may see the patient. */
function historySaid(kind: HistoryEntry['kind'], detail: HistoryEntry['detail'], { patients }: Rights): Message[] {
  const of = (name: string) =>
    typeof detail[name] === 'string' || typeof detail[name] === 'number' ? String(detail[name]) : '';
  const nameOf = (name: string, account: string) => (account === '' ? name : `${name} (${account})`);
  const by = patients && of('by') !== '' ? [said('history.by', { name: nameOf(of('by'), of('byId')) })] : [];
  switch (kind) {
    case 'waiting':
      return [said(ARRIVED[of('priority')] ?? 'history.arrived')];
    case 'analysing':
      return ['', '1'].includes(of('attempt'))
        ? [said('history.analysing')]
        : [said('history.analysingAgain', { attempt: of('attempt') })];
    case 'returned':
      return [said('history.returned')];
    case 'retry':
      return [said('history.retry', { reason: of('reason') })];
    case 'failed':
      return [said('history.failed', { reason: of('reason') })];
    case 'nothing-new':
      return [said('history.nothingNew')];
    case 'result':
      return [
        said('history.result', { films: of('films') }),
        ...(detail['priority'] === 'urgent' ? [said('history.resultReached')] : []),
        ...replacedSaid(detail['supersedes']),
        ...withdrawnSaid(detail['withdrawn']),
        ...findingSaid(detail['finding']),
        ...(detail['isUnreadAgain'] === true ? [said('history.unreadAgain')] : []),
      ];
    case 'attributes-corrected': {
      const attributes = textsIn(detail['attributes']).join(', ');
      return [said(of('how') === 'ris' ? 'history.correctedByRis' : 'history.correctedInArchive', { attributes })];
    }
    case 'priority':
      if (of('how') === 'ris') return [said(OF_RIS[of('priority')] ?? 'history.risNone')];
      return [said(detail['priority'] === 'urgent' ? 'history.marked' : 'history.unmarked'), ...by];
    case 'verdict': {
      const verdict = VERDICTS.find((known) => known === of('verdict'));
      const what = patients && verdict !== undefined ? verdict : 'given';
      return [said(`history.verdict.${what}`), ...by, ...findingSaid(detail['finding'])];
    }
    case 'claim':
      return patients && of('from') !== ''
        ? [said('history.takenOver', { name: nameOf(of('from'), of('fromId')) }), ...by]
        : [said('history.opened'), ...by];
    case 'release':
      return [said('history.released'), ...by];
    case 'read':
      return of('how') === 'ris' ? [said('history.readByRis')] : [said('history.read'), ...by];
    case 'unread':
      return [said('history.unread'), ...by];
  }
}

interface Message extends Said {
  /** The same text in English. */
  readonly text: string;
}

function said<K extends Key>(key: K, ...needed: Needed<K>): Message {
  return { key, values: needed[0] ?? {}, text: say(ENGLISH, key, ...needed) };
}

const ARRIVED: Readonly<Record<string, 'history.arrivedUrgent' | 'history.arrivedRoutine'>> = {
  urgent: 'history.arrivedUrgent',
  routine: 'history.arrivedRoutine',
};
const OF_RIS: Readonly<Record<string, 'history.risUrgent' | 'history.risRoutine'>> = {
  urgent: 'history.risUrgent',
  routine: 'history.risRoutine',
};

/** Effect of a verdict on the finding's priority. */
function findingSaid(effect: unknown): Message[] {
  if (effect === 'withdrawn') return [said('history.findingWithdrawn')];
  return effect === 'restored' ? [said('history.findingRestored')] : [];
}

function replacedSaid(supersedes: unknown): Message[] {
  const reports = textsIn(supersedes);
  return reports.length === 0 ? [] : [said('history.replaces', { reports: reports.join(', ') })];
}

function withdrawnSaid(reasons: unknown): Message[] {
  const codes = textsIn(reasons);
  return codes.length === 0 ? [] : [said('history.withdrawn', { reasons: codes.join(', ') })];
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
