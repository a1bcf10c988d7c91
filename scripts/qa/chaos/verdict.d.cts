export interface SentStudy {
  readonly studyInstanceUid: string;
  /** SOP Instance UIDs. */
  readonly films: readonly string[];
}

/** One instance of the archive; one that is there twice is in the list twice. */
export interface ListedObject {
  readonly study: string;
  readonly modality: string;
  readonly sopInstanceUid: string;
  /** SOP Instance UIDs that it names as its evidence (a report) or its source (a heat map). */
  readonly refersTo: readonly string[];
}

export interface Problem {
  readonly study: string;
  /** Null where it is about no single film. */
  readonly film: string | null;
  readonly what: string;
  /** All that the study holds, one line each. */
  readonly holds: readonly string[];
}

export interface Verdict {
  /** Films that are in the archive. */
  readonly stored: number;
  /** Films whose report names a heat map. */
  readonly analysed: number;
  /** Films whose report names none. */
  readonly notAnalysed: number;
  /** Films without a whole set of results. */
  readonly lost: number;
  /** Objects beyond one of each film, report and heat map, whatever their UIDs. */
  readonly doubled: number;
  readonly problems: readonly Problem[];
}

export function judge(sent: readonly SentStudy[], listed: readonly ListedObject[]): Verdict;
