import type { Code } from '../../dicom/code';
import { deriveUid, tryParseUid, type Uid } from '../../dicom/uid';
import { RESEARCH_USE, WITHDRAWN } from '../../finding/wording';
import { HILUM_SCHEME } from '../../objects/codes';
import type { FilmRecord, OrderFacts, StudyRecord } from '../record';
import { caveats, studyCaveats } from '../statements';
import {
  codeSequence,
  dataset,
  dateTime,
  element,
  type JsonDataset,
  personName,
  sequence,
  textAt,
  valuesAt,
} from './dicom-json';

/** Scheduled Procedure Step Priority, the lowest first (PS3.3 section C.30.2). */
const UPS_PRIORITIES = ['LOW', 'MEDIUM', 'HIGH'] as const;
export type UpsPriority = (typeof UPS_PRIORITIES)[number];

/** PS3.4 table CC.1.1-1. */
const UPS_STATES = ['SCHEDULED', 'IN PROGRESS', 'COMPLETED', 'CANCELED'] as const;
export type UpsState = (typeof UPS_STATES)[number];

/** Settings of the site for its workitems. */
export interface WorkitemSettings {
  readonly worklistLabel: string;
  readonly routinePriority: 'MEDIUM' | 'LOW';
  /** DICOMweb root for retrieving films and results. */
  readonly retrieveUrl: string;
}

/** A workitem on the server. */
export interface FoundWorkitem {
  readonly state: UpsState;
  /** Null where the value is none of PS3.3: then it can't be compared. */
  readonly priority: UpsPriority | null;
  /** SOP Instance UIDs of its Output Information Sequence. */
  readonly outputs: readonly Uid[];
  /** Whether it has the reason that Hilum gives where it cancels one. */
  readonly isWithdrawn: boolean;
}

const COMPUTER_AIDED_DETECTION: Code = { value: '110004', scheme: 'DCM', meaning: 'Computer Aided Detection' };
const STATION: Code = { value: 'hilum', scheme: HILUM_SCHEME, meaning: 'Hilum chest-film triage' };
const LABEL = `Chest-film triage, ${RESEARCH_USE.short}`;

const TRANSACTION_UID = '00081195';
const STATE = '00741000';
const PRIORITY = '00741200';
const PERFORMED_PROCEDURE = '00741216';
const OUTPUT_INFORMATION = '00404033';
const PROGRESS = '00741002';
const DISCONTINUATION_REASON = '00741238';

/** UID of a study's workitem. */
export function workitemUid({ studyInstanceUid }: Pick<StudyRecord, 'studyInstanceUid'>): Uid {
  return deriveUid(['ups-workitem', studyInstanceUid]);
}

/**
 * UID of a further workitem for a later result: a completed one can't be changed (PS3.4 CC.1.1: "by scheduling another
 * (different) UPS").
 */
export function laterWorkitemUid({ studyInstanceUid, key }: Pick<StudyRecord, 'studyInstanceUid' | 'key'>): Uid {
  return deriveUid(['ups-workitem', studyInstanceUid, key]);
}

/**
 * The lock of a workitem, derived from the workitem, so that a worker that continues after a crash still holds it: the
 * note in PS3.4 CC.2.1.2 asks for it.
 */
export function transactionUid(workitem: Uid): Uid {
  return deriveUid(['ups-transaction', workitem]);
}

/** LOW only if configured, and never for a study without a live finding. */
export function upsPriority(
  { priority }: Pick<StudyRecord, 'priority'>,
  { routinePriority }: Pick<WorkitemSettings, 'routinePriority'>,
): UpsPriority {
  if (priority === 'urgent') return 'HIGH';
  return priority === 'routine' ? routinePriority : 'MEDIUM';
}

/** Priority to raise a workitem to; null where it is as high already, or unknown. */
export function raisedPriority(there: UpsPriority | null, ours: UpsPriority): UpsPriority | null {
  return there !== null && UPS_PRIORITIES.indexOf(ours) > UPS_PRIORITIES.indexOf(there) ? ours : null;
}

/**
 * A SCHEDULED workitem: all attributes of type 1 or 2 for N-CREATE in PS3.4 table CC.2.5-3, and none that it forbids.
 * The UID is not part of it.
 */
export function newWorkitem(record: StudyRecord, settings: WorkitemSettings): JsonDataset {
  const { patient, studyInstanceUid, completedAt } = record;
  return dataset({
    '00080005': element('CS', 'ISO_IR 192'),
    '00081080': element('LO'),
    '00081084': sequence(),
    [TRANSACTION_UID]: element('UI'),
    '00100010': personName(patient.PatientName),
    '00100020': element('LO', patient.PatientID),
    ...(patient.IssuerOfPatientID === '' ? {} : { '00100021': element('LO', patient.IssuerOfPatientID) }),
    '00100030': element('DA', patient.PatientBirthDate),
    '00100040': element('CS', patient.PatientSex),
    '00101002': sequence(),
    '0020000D': element('UI', studyInstanceUid),
    '00380010': element('LO'),
    '00380014': sequence(),
    '00400400': element('LT', comments(record)),
    '00404005': element('DT', dateTime(completedAt)),
    '00404011': element('DT', dateTime(completedAt)),
    '00404018': codeSequence(COMPUTER_AIDED_DETECTION),
    '00404021': sequence(...inputs(record, settings)),
    '00404025': codeSequence(STATION),
    '00404026': sequence(),
    '00404027': sequence(),
    '00404034': sequence(),
    '00404041': element('CS', 'READY'),
    '0040A370': sequence(request(studyInstanceUid, record.order)),
    [STATE]: element('CS', 'SCHEDULED'),
    [PROGRESS]: sequence(),
    [PRIORITY]: element('CS', upsPriority(record, settings)),
    '00741202': element('LO', settings.worklistLabel),
    '00741204': element('LO', LABEL),
    '00741210': sequence(),
    [PERFORMED_PROCEDURE]: sequence(),
  });
}

/**
 * Attributes that are required before a workitem may be completed (PS3.4 table CC.2.5-3, final state P), and `priority`
 * where it is raised. The start is not known afterwards: start and end are both the end.
 */
export function performedWorkitem(
  record: StudyRecord,
  { retrieveUrl }: WorkitemSettings,
  transaction: Uid,
  priority: UpsPriority | null,
): JsonDataset {
  const end = dateTime(record.completedAt);
  return dataset({
    [TRANSACTION_UID]: element('UI', transaction),
    [PROGRESS]: sequence({ '00741004': element('DS', '100') }),
    ...(priority === null ? {} : { [PRIORITY]: element('CS', priority) }),
    [PERFORMED_PROCEDURE]: sequence(
      dataset({
        '00400254': element('LO', LABEL),
        '00404019': codeSequence(COMPUTER_AIDED_DETECTION),
        '00404028': codeSequence(STATION),
        '00404050': element('DT', end),
        '00404051': element('DT', end),
        [OUTPUT_INFORMATION]: sequence(...outputs(record, retrieveUrl)),
      }),
    ),
  });
}

/** PS3.16 CID 9300, Procedure Discontinuation Reason. */
const UNSPECIFIED: Code = { value: '110513', scheme: 'DCM', meaning: 'Discontinued for unspecified reason' };
const WRONG_ENTRY: Code = { value: '110514', scheme: 'DCM', meaning: 'Incorrect worklist entry selected' };

/**
 * Attributes that are required before a workitem may be canceled (PS3.4 table CC.2.5-3, final state X): reason and
 * time.
 */
export function withdrawnWorkitem({ films, completedAt }: StudyRecord, transaction: Uid): JsonDataset {
  const isWrongEntry = films.some(({ reason }) => reason === 'incorrect-worklist-entry');
  return dataset({
    [TRANSACTION_UID]: element('UI', transaction),
    [PROGRESS]: sequence(
      dataset({
        '00404052': element('DT', dateTime(completedAt)),
        '0074100E': codeSequence(isWrongEntry ? WRONG_ENTRY : UNSPECIFIED),
        [DISCONTINUATION_REASON]: element('LT', WITHDRAWN),
      }),
    ),
  });
}

/** PS3.4 table CC.2.1-1. */
export function stateChange(transaction: Uid, state: Exclude<UpsState, 'SCHEDULED'>): JsonDataset {
  return { [TRANSACTION_UID]: element('UI', transaction), [STATE]: element('CS', state) };
}

/** Undefined where it is no workitem. */
export function readWorkitem(item: unknown): FoundWorkitem | undefined {
  const state = UPS_STATES.find((known) => known === textAt(item, STATE));
  if (state === undefined) return undefined;
  const priority = UPS_PRIORITIES.find((known) => known === textAt(item, PRIORITY)) ?? null;
  const series = valuesAt(item, PERFORMED_PROCEDURE).flatMap((performed) => valuesAt(performed, OUTPUT_INFORMATION));
  const uids = series
    .flatMap((one) => valuesAt(one, '00081199'))
    .flatMap((reference) => tryParseUid(textAt(reference, '00081155')) ?? []);
  const reasons = valuesAt(item, PROGRESS).map((progress) => textAt(progress, DISCONTINUATION_REASON));
  return { state, priority, outputs: uids, isWithdrawn: reasons.includes(WITHDRAWN) };
}

/** Whether a workitem lists all objects that this result has stored. */
export function listsOutputsOf(
  { outputs: told }: Pick<FoundWorkitem, 'outputs'>,
  { films }: Pick<StudyRecord, 'films'>,
): boolean {
  return films.every((film) => film.outputs.every(({ sopInstanceUid }) => told.includes(sopInstanceUid)));
}

/** Comments on the Scheduled Procedure Step (LT): research notice and warnings. */
function comments(record: StudyRecord): string {
  return [RESEARCH_USE.statement, ...studyCaveats(record), ...new Set(record.films.flatMap(caveats))].join('\r\n');
}

interface Reference {
  readonly seriesInstanceUid: Uid;
  readonly sopClassUid: Uid;
  readonly sopInstanceUid: Uid;
}

function inputs({ studyInstanceUid, films }: StudyRecord, { retrieveUrl }: WorkitemSettings): JsonDataset[] {
  const known = (film: FilmRecord): Reference[] => {
    const { seriesInstanceUid, sopClassUid, sopInstanceUid } = film;
    return seriesInstanceUid === null || sopClassUid === null
      ? []
      : [{ seriesInstanceUid, sopClassUid, sopInstanceUid }];
  };
  return references(studyInstanceUid, films.flatMap(known), retrieveUrl);
}

function outputs({ studyInstanceUid, films }: StudyRecord, retrieveUrl: string): JsonDataset[] {
  return references(
    studyInstanceUid,
    films.flatMap((film) => film.outputs),
    retrieveUrl,
  );
}

/** Referenced Instances and Access macro (PS3.3 table 10-3b), one item for each series. */
function references(study: Uid, instances: readonly Reference[], retrieveUrl: string): JsonDataset[] {
  const series = [...new Set(instances.map(({ seriesInstanceUid }) => seriesInstanceUid))];
  return series.map((uid) =>
    dataset({
      '0040E020': element('CS', 'DICOM'),
      '0020000D': element('UI', study),
      '0020000E': element('UI', uid),
      '00081199': sequence(
        ...instances
          .filter(({ seriesInstanceUid }) => seriesInstanceUid === uid)
          .map(({ sopClassUid, sopInstanceUid }) => ({
            '00081150': element('UI', sopClassUid),
            '00081155': element('UI', sopInstanceUid),
          })),
      ),
      '0040E025': sequence({
        '00081190': element('UR', `${retrieveUrl.replace(/\/+$/, '')}/studies/${study}/series/${uid}`),
      }),
    }),
  );
}

/** Referenced Request Sequence from the film. */
function request(study: Uid, order: OrderFacts): JsonDataset {
  const issuer =
    order.AccessionNumberIssuer === ''
      ? sequence()
      : sequence({ '00400031': element('UT', order.AccessionNumberIssuer) });
  return dataset({
    '00080050': element('SH', order.AccessionNumber),
    '00080051': issuer,
    '0020000D': element('UI', study),
    '00321060': element('LO', order.RequestedProcedureDescription),
    '00321064': sequence(),
    '00401001': element('SH', order.RequestedProcedureID),
    '00402016': element('LO', order.PlacerOrderNumberImagingServiceRequest),
    '00402017': element('LO', order.FillerOrderNumberImagingServiceRequest),
  });
}
