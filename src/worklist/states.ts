/** The states of rows that are shown. */
export const SHOWN_STATES = ['waiting', 'analysing', 'done', 'not-analysed', 'failed'] as const;
export type ShownState = (typeof SHOWN_STATES)[number];

/** What the list says of a study. `left-alone` is not shown: a study without any chest film. */
export type StudyState = ShownState | 'left-alone';

/** Steps of a study's way, as its history names them. */
export type HistoryKind =
  'waiting' | 'analysing' | 'returned' | 'retry' | 'failed' | 'nothing-new' | 'result' | 'priority' | 'verdict';

export const VERDICTS = ['agree', 'disagree', 'unusable'] as const;
export type Verdict = (typeof VERDICTS)[number];
