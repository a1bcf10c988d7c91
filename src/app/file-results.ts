import { csvLine } from '../base/csv';
import { isRejection, type RejectionReason } from '../events/closed-lists';
import type { Finding } from '../events/finding';
import type { FilmResult } from '../events/result-event';
import type { FileKind } from '../pipeline/picture-file';

/** One line of `hilum analyze --json`. */
export interface FileResult extends Pick<FilmResult, 'outcome' | 'view' | 'probability' | 'lungFraction'> {
  readonly file: string;
  readonly kind: FileKind;
  /** SOP Instance UID; null for a PNG or JPEG picture and for a file that can't be read. */
  readonly sopInstanceUid: string | null;
  /** A reason code of docs/events.md, or `failed` with a sentence. */
  readonly reason: string | null;
  /** One entry for each classifier's finding, in the classifiers' order. */
  readonly findings: readonly Pick<Finding, 'label' | 'probability' | 'operatingPoint' | 'atOrAbove' | 'mode'>[];
  /** A finding in mode live is at or above its operating point and makes the film urgent. */
  readonly urgent: boolean;
  /** Seconds from reading the file to the last result written, rounded to hundredths. */
  readonly seconds: number;
  /** Paths of the files written. */
  readonly outputs: readonly string[];
  readonly models: readonly { readonly id: string; readonly version: string }[];
}

/** Outcomes of a file, in the order of the summary. */
const FILE_STATES = ['analysed', 'not-analysed', 'rejected', 'no-chest-film', 'unreadable', 'failed'] as const;
export type FileState = (typeof FILE_STATES)[number];

export function stateOf({ outcome, reason }: Pick<FileResult, 'outcome' | 'reason'>): FileState {
  if (outcome !== 'rejected') return outcome;
  const code = codeOf(reason);
  if (code === 'unreadable' || code === 'failed') return code;
  return isRejection(code) ? 'rejected' : 'no-chest-film';
}

/** The rejection reason of a film that a rejection note excludes; null for all others. */
export function rejectionIn({ reason }: Pick<FileResult, 'reason'>): RejectionReason | null {
  const code = codeOf(reason);
  return isRejection(code) ? code : null;
}

const codeOf = (reason: string | null) => reason?.split(':')[0] ?? '';

/**
 * CSV with a row for each file: probability, operating point and whether it is reached, for each finding.
 * @param labels labels of the findings
 */
export function resultsCsv(results: readonly FileResult[], labels: readonly string[]): string {
  const heading = [
    ...['file', 'sop_instance_uid', 'state', 'reason', 'view'],
    ...labels.flatMap((label) => [`${label} probability`, `${label} operating point`, `${label} at or above`]),
    ...['urgent', 'seconds', 'outputs'],
  ];
  return [csvLine(heading), ...results.map((result) => rowOf(result, labels))].join('');
}

function rowOf(result: FileResult, labels: readonly string[]): string {
  const { file, sopInstanceUid, reason, view, findings, urgent, seconds, outputs } = result;
  const cells = labels.flatMap((label) => {
    const found = findings.find((finding) => finding.label === label);
    return found === undefined ? [null, null, null] : [found.probability, found.operatingPoint, found.atOrAbove];
  });
  const isUrgent = stateOf(result) === 'analysed' ? urgent : null;
  return csvLine([
    file,
    sopInstanceUid,
    stateOf(result),
    reason,
    view,
    ...cells,
    isUrgent,
    seconds,
    outputs.join('; '),
  ]);
}

/** Counts of a run. */
export interface Tally {
  readonly states: Readonly<Record<FileState, number>>;
  readonly urgent: number;
  /** Files with a result of an earlier run. */
  readonly kept: number;
  /** Files that Hilum wrote itself; they are skipped. */
  readonly ownResults: number;
}

export const STATE_WORDS: Readonly<Record<FileState, string>> = {
  analysed: 'analysed',
  'not-analysed': 'not analysed',
  rejected: 'rejected by a note',
  'no-chest-film': 'no chest film',
  unreadable: 'could not be read',
  failed: 'failed',
};

export function tallyOf(results: readonly FileResult[], kept: number, ownResults: number): Tally {
  const states = Object.fromEntries(
    FILE_STATES.map((state) => [state, results.filter((result) => stateOf(result) === state).length]),
  ) as Record<FileState, number>;
  return { states, urgent: results.filter(({ urgent }) => urgent).length, kept, ownResults };
}

/** The counts in one sentence. */
export function tallyText({ states, urgent, kept, ownResults }: Tally): string {
  const files = Object.values(states).reduce((sum, count) => sum + count, 0);
  const parts = FILE_STATES.filter((state) => states[state] > 0).map(
    (state) => `${states[state]} ${STATE_WORDS[state]}${state === 'analysed' ? ` (${urgent} urgent)` : ''}`,
  );
  const told = `${files} ${files === 1 ? 'file' : 'files'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
  const more = [
    ...(kept > 0 ? [`${kept} of them done before (--again does them anew)`] : []),
    ...(ownResults > 0 ? [`${ownResults} ${ownResults === 1 ? 'result' : 'results'} of Hilum left alone`] : []),
  ];
  return [told, ...more].join('; ');
}
