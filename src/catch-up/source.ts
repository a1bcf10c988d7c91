import type { Uid } from '../dicom/uid';

/** A study that may lack a result. */
export interface Candidate {
  readonly studyInstanceUid: Uid;
  /** Null where that is not known. */
  readonly modalities: readonly string[] | null;
  /** Number of its instances; null where that is not known. */
  readonly instances: number | null;
}

export interface Batch<S extends Candidate = Candidate> {
  /** Newest first. */
  readonly studies: readonly S[];
  /** Called when each study is dealt with and its event, where there is one, is confirmed by the broker. */
  done(): Promise<void>;
}

/**
 * Where candidates come from: one round, batch by batch, newest first. A batch is asked for only when the one before it
 * is done.
 */
export interface Source<S extends Candidate = Candidate> {
  batches(): AsyncIterable<Batch<S>>;
  /** It holds back what is so new that an event is most likely on its way. */
  readonly lags: boolean;
}
