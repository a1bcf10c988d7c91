export interface PlannedFilm {
  /** Of the drawing, not of the run. */
  readonly seed: number;
  readonly view: 'PA' | 'AP' | 'LL';
  readonly modality: 'CR' | 'DX';
  readonly rows: number;
  readonly columns: number;
  readonly instance: number;
}

export interface PlannedStudy {
  /** What its Study Instance UID is derived from. */
  readonly name: string;
  /** Sent with Study Priority ID STAT. */
  readonly isStat: boolean;
  /** Pause of the sender before it (milliseconds). */
  readonly waitMs: number;
  /** One or two. */
  readonly films: readonly PlannedFilm[];
}

export interface Kill {
  readonly kind: 'worker' | 'broker' | 'archive';
  /** Which one, from 0; null for the others. */
  readonly worker: number | null;
  /** Whether it comes while others may be away still; else the line works again before the time to it begins. */
  readonly overlaps: boolean;
  /** Time to it (milliseconds). */
  readonly afterMs: number;
  /** Until it is started again (milliseconds). */
  readonly downMs: number;
}

/**
 * The same for the same seed. `meanSeconds`: between two studies; `sameSeries`: whether the second film of a study may
 * lie in the series of the first.
 */
export function drawStudies(options: {
  seed: number;
  studies: number;
  meanSeconds?: number;
  sameSeries?: boolean;
}): PlannedStudy[];

/** Without end, and the same for the same seed. `meanSeconds`: between two kills. */
export function drawKills(options: { seed: number; meanSeconds: number; workers: number }): Generator<Kill, never>;

/** So many kills from the first on hold each kind at least once. */
export const KILLS_OF_EACH_KIND: number;
