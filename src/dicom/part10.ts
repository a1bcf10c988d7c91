import type { Uid } from './uid';

/** One SOP Instance as a PS3.10 file. */
export interface EncodedObject {
  readonly sopClassUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
  readonly bytes: Uint8Array;
}
