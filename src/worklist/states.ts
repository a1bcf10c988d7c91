/** What the list says of a study. `left-alone` is not shown: a study without any chest film. */
export type StudyState = 'waiting' | 'analysing' | 'done' | 'not-analysed' | 'failed' | 'left-alone';

/** The states of rows that are shown. */
export const SHOWN_STATES = [
  'waiting',
  'analysing',
  'done',
  'not-analysed',
  'failed',
] as const satisfies readonly StudyState[];
export type ShownState = (typeof SHOWN_STATES)[number];

/** Steps of a study's way, as its history names them. */
export type HistoryKind =
  | 'waiting'
  | 'analysing'
  | 'returned'
  | 'retry'
  | 'failed'
  | 'nothing-new'
  | 'result'
  | 'attributes-corrected'
  | 'priority'
  | 'verdict'
  | 'claim'
  | 'release'
  | 'read'
  | 'unread';

/** How a study came to be read: somebody judged its result, said so on the list, or the RIS has a final report. */
export type ReadHow = 'verdict' | 'person' | 'ris';

/** Why a study is not on the list; `not-recorded` in one of an earlier version. docs/list.md names each. */
export type LeftOutReason = 'modality' | 'no-image' | 'nothing-new';

export const VERDICTS = ['agree', 'disagree', 'unusable'] as const;
export type Verdict = (typeof VERDICTS)[number];
