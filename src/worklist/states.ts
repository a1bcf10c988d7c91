/** What the list says of a study. `left-alone` is not shown: a study without any chest film. */
const STUDY_STATES = ['waiting', 'analysing', 'done', 'not-analysed', 'failed', 'left-alone'] as const;
export type StudyState = (typeof STUDY_STATES)[number];

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
const HISTORY_KINDS = [
  'waiting',
  'analysing',
  'returned',
  'retry',
  'failed',
  'nothing-new',
  'result',
  'priority',
  'verdict',
] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

export const VERDICTS = ['agree', 'disagree', 'unusable'] as const;
export type Verdict = (typeof VERDICTS)[number];
