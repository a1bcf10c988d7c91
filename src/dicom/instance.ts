import type { Uid } from './uid';

/** One instance of a study as QIDO-RS lists it. */
export interface InstanceReference {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
  readonly sopClassUid: Uid;
  /** Modality (0008,0060), '' where the archive has none. */
  readonly modality: string;
}
