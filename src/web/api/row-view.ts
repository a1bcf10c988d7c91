import type { Uid } from '../../dicom/uid';
import type { NotAnalysedReason } from '../../events/closed-lists';
import type { Finding } from '../../events/finding';
import { areAllInShadow, leadingFinding } from '../../finding/finding';
import { percentagesOf, relationOf } from '../../finding/wording';
import { SHOWN_STATES } from '../../worklist/states';
import type { RowClaim as ListClaim, RowRead as ListRead, StudyRow as ListRow } from '../../worklist/study-row';
import { claimAt } from '../../worklist/work-state';
import type { RowClaim, RowPatient, RowRead, RowResult, StudyRow } from './contract';

/** What a response may contain, by user. */
export interface Rights {
  readonly patients: boolean;
  /** Id of the user. */
  readonly user?: string;
}

/**
 * A row in the API's form; null for a study that is not shown. Patient data, pictures included, are left out for users
 * who may not see them.
 */
export function rowView(row: ListRow, rights: Rights): StudyRow | null {
  const { patients } = rights;
  const state = SHOWN_STATES.find((shown) => shown === row.state);
  if (state === undefined) return null;
  const { studyInstanceUid, reason, reasonText, priority, arrivedAt, completedAt, retryAt, views, films, lead } = row;
  const inShadow = areAllInShadow(row.findings);
  return {
    studyInstanceUid,
    state,
    priority,
    views,
    films,
    reason: reason === null ? null : { code: reason, text: reasonText ?? '' },
    urgentBy: urgentBy(row),
    urgentSince: row.urgentSince === null ? null : iso(row.urgentSince),
    arrivedAt: iso(arrivedAt),
    completedAt: completedAt === null ? null : iso(completedAt),
    retryAt: retryAt === null ? null : iso(retryAt),
    result: resultView(row.findings),
    findings: row.findings,
    inShadow,
    leadFilm:
      !patients || lead === null || lead.seriesInstanceUid === null || isUndrawable(row)
        ? null
        : {
            picture: picturePath(studyInstanceUid, lead.sopInstanceUid),
            heatMap: lead.heatMap === null || inShadow ? null : heatMapPath(studyInstanceUid, lead.sopInstanceUid),
          },
    verdict: patients && row.verdict?.ofThisResult === true ? row.verdict.verdict : null,
    claim: claimView(row.claim, rights),
    read: readView(row.read, rights),
    hidden: row.isHidden,
    ...(patients
      ? {
          patient: patientView(row.patient),
          accessionNumber: row.accessionNumber,
          studyDescription: row.studyDescription,
        }
      : {}),
  };
}

/** A claim whose time is over is left out, even while it is still stored. */
export function claimView(claim: ListClaim | null, { patients, user }: Rights, now = Date.now()): RowClaim | null {
  const holding = patients ? claimAt(claim, now) : null;
  return holding && { by: holding.by.name, mine: holding.by.id === user, until: iso(holding.until) };
}

export function readView(read: ListRead | null, { patients }: Rights): RowRead | null {
  return read && { at: iso(read.at), how: read.how, by: patients ? (read.by?.name ?? null) : null };
}

/** Reasons for not analysing a film that leave nothing to draw. */
const WITHOUT_PICTURE: readonly NotAnalysedReason[] = [
  'undecodable',
  'unreadable',
  'no-image',
  'multi-frame',
  'blank-image',
];

export function hasNoPicture(reason: string | null): boolean {
  return (WITHOUT_PICTURE as readonly (string | null)[]).includes(reason);
}

/** Without an analysed film, the reason is that of the film that represents the study. */
function isUndrawable({ state, reason }: ListRow): boolean {
  return state === 'not-analysed' && hasNoPicture(reason);
}

function urgentBy({ priorities: { triage, finding, person }, isFindingWithdrawn }: ListRow): StudyRow['urgentBy'] {
  return [
    ...(triage === 'urgent' ? (['order'] as const) : []),
    ...(finding === 'urgent' && !isFindingWithdrawn ? (['finding'] as const) : []),
    ...(person === 'urgent' ? (['person'] as const) : []),
  ];
}

/** The leading live finding in figures and words; null where there is none or its operating point is unknown. */
export function resultView(findings: readonly Finding[]): RowResult | null {
  const finding = leadingFinding({ findings });
  if (finding === undefined || finding.operatingPoint === null) return null;
  const { label, probability, operatingPoint, atOrAbove } = finding;
  const text = percentagesOf(finding);
  return {
    label,
    probability,
    threshold: operatingPoint,
    probabilityText: text.probability,
    thresholdText: text.operatingPoint,
    reached: atOrAbove,
    relation: relationOf(finding),
  };
}

function patientView({ PatientID, PatientName, PatientBirthDate, PatientSex }: ListRow['patient']): RowPatient {
  return { id: PatientID, name: personName(PatientName), birthDate: dateView(PatientBirthDate), sex: PatientSex };
}

/** PN (PS3.5 section 6.2.1.1): family, given, middle, prefix, suffix; the list shows the first component group. */
function personName(name: string): string {
  const [family = '', given = '', middle = ''] = (name.split('=').find((group) => group.trim() !== '') ?? '')
    .split('^')
    .map((part) => part.trim());
  const first = [given, middle].filter((part) => part !== '').join(' ');
  return [family, first].filter((part) => part !== '').join(', ');
}

/** DA as YYYY-MM-DD. */
export function dateView(date: string): string {
  return /^\d{8}$/.test(date) ? `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}` : '';
}

export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
export const picturePath = (study: Uid, film: Uid): string => `/api/v1/studies/${study}/films/${film}/picture`;
export const heatMapPath = (study: Uid, film: Uid): string => `/api/v1/studies/${study}/films/${film}/heat-map?`;
export const reportPath = (study: Uid, film: Uid): string => `/api/v1/studies/${study}/films/${film}/report`;
