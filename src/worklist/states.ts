/** State of a study on the list. `left-alone` is not shown: a study without any chest film. */
export type StudyState = 'waiting' | 'analysing' | 'done' | 'not-analysed' | 'failed' | 'left-alone';

/** States of rows that are shown. */
export const SHOWN_STATES = [
  'waiting',
  'analysing',
  'done',
  'not-analysed',
  'failed',
] as const satisfies readonly StudyState[];
export type ShownState = (typeof SHOWN_STATES)[number];

/** Kinds of entries in a study's history. */
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

/** How a study was read: by a verdict on its result, marked by a user, or by a final report in the RIS. */
export type ReadHow = 'verdict' | 'person' | 'ris';

/** Why a study is not on the list; `not-recorded` for one of an earlier version. docs/list.md has each. */
export type LeftOutReason = 'modality' | 'no-image' | 'nothing-new';

export const VERDICTS = ['agree', 'disagree', 'unusable'] as const;
export type Verdict = (typeof VERDICTS)[number];
