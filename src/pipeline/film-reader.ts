import { type DecodedPixels, decodePixels, digestPixels } from '../dicom/pixels';
import { type Opened, readPart10 } from '../dicom/read';

/**
 * Port: who works on bytes that nobody has vouched for; `decoder-thread.ts` does so within bounds of time and memory.
 */
export interface FilmReader {
  /** @throws HilumError DICOM_UNREADABLE */
  read(bytes: Uint8Array): Promise<Opened>;
  /** @throws PixelError */
  decode(opened: Opened): Promise<DecodedPixels>;
  /** `decoded` of {@link ContentDigest}, without making a picture of it. @throws PixelError */
  digest(opened: Opened): Promise<string>;
  close(): Promise<void>;
}

/** In the caller's own thread, so without any bound of time: for files that are trusted. */
export const unboundedReader: FilmReader = {
  read: async (bytes) => readPart10(bytes),
  decode: (opened) => decodePixels(opened),
  digest: (opened) => digestPixels(opened),
  close: async () => {},
};
