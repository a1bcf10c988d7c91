import type { Uid } from '../dicom/uid';

/** A study that may have films without a report. */
export interface Candidate {
  readonly studyInstanceUid: Uid;
  /** Null where unknown. */
  readonly modalities: readonly string[] | null;
  /** Number of its instances; null where unknown. */
  readonly instances: number | null;
}

export interface Batch<S extends Candidate = Candidate> {
  /** Newest first. */
  readonly studies: readonly S[];
  /** Called when all studies of the batch are processed and the broker has confirmed their events. */
  done(): Promise<void>;
}

/**
 * Where candidates come from. Each round gives batches, newest first; the next one is fetched when the one before is
 * done.
 */
export interface Source<S extends Candidate = Candidate> {
  batches(): AsyncIterable<Batch<S>>;
  /** Whether it leaves the newest changes to the next round, as their events are most likely on their way. */
  readonly lags: boolean;
}
