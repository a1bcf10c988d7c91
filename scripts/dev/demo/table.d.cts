export interface ReportedFilm {
  readonly file: string;
  readonly sopInstanceUid: string;
  readonly modality: string;
  /** CR or DX. */
  readonly isRadiograph: boolean;
  readonly outcome: 'analysed' | 'not-analysed' | 'rejected' | 'failed';
  readonly reason: string | null;
  readonly view: string | null;
  readonly probability: number | null;
  readonly probabilityText: string | null;
  readonly outputs: readonly unknown[];
  /** A sentence: what was found, or why nothing was looked for. */
  readonly why: string;
}

export interface ReportedStudy {
  /** Running number, from 1. */
  readonly study: number;
  readonly studyInstanceUid: string;
  readonly priority: 'urgent' | 'routine' | null;
  readonly urgentBy: readonly ('order' | 'finding')[];
  readonly secondsToResult: number | null;
  /** Whether the reading list shows it unasked. */
  readonly list: 'shown' | 'hidden' | 'absent';
  readonly films: readonly ReportedFilm[];
}

/** A table with a sentence below each line, and what was not stored, by reason. */
export function describe(report: {
  readonly studies: readonly ReportedStudy[];
  /** `sameAs`: the file whose object the archive has already. */
  readonly notStored: readonly { readonly file: string; readonly reason: string; readonly sameAs?: string }[];
}): string;

/** Of each study its number and its UID, abbreviated: the same in the table and beside links. */
export function studyNames(studies: readonly Pick<ReportedStudy, 'study' | 'studyInstanceUid'>[]): string[];

/** The ends of UIDs, as long as it takes to tell them apart. */
export function abbreviated(uids: readonly string[]): string[];
