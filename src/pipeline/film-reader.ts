import type { Resolution } from '../dicom/codecs';
import { encodedDigest, pixelsDigest } from '../dicom/content-digest';
import { digestPixels, displayFilm } from '../dicom/pixels';
import { type Opened, readPart10 } from '../dicom/read';
import type { Size } from '../imaging/plane';
import { type FilmPicture, pictureOf, reduce, type ReducedFilm } from './reduce';

/** A file that was read, with digests of what it holds. */
export interface ReadFilm extends Opened {
  /** Digest of the pixel data as stored. */
  readonly pixelsDigest: string;
  /** {@link ContentDigest.encoded} */
  readonly encodedDigest: string;
}

/** Port: reads and decodes untrusted files. `decoder-thread.ts` limits time and memory. */
export interface FilmReader {
  /** @throws HilumError DICOM_UNREADABLE */
  read(bytes: Uint8Array): Promise<ReadFilm>;
  /** @param size input size of the models @throws PixelError */
  decode(opened: Opened, size: Size): Promise<ReducedFilm>;
  /** @param longest longest side in pixels @throws PixelError */
  picture(opened: Opened, longest: number): Promise<FilmPicture>;
  /** `decoded` of {@link ContentDigest}, without a picture. @throws PixelError */
  digest(opened: Opened): Promise<string>;
  close(): Promise<void>;
}

/**
 * Reads in the caller's thread, without a time limit: for trusted files.
 * @param resolution resolution for the analysis and its digest; pictures always show the whole film
 */
export const readerInThisThread = (resolution?: Resolution): FilmReader => ({
  read: async (bytes) => {
    const opened = readPart10(bytes);
    const pixels = pixelsDigest(opened);
    return { ...opened, pixelsDigest: pixels, encodedDigest: encodedDigest(opened, pixels) };
  },
  decode: async (opened, size) => reduce(await displayFilm(opened, undefined, resolution), opened.attributes, size),
  picture: async (opened, longest) => pictureOf(await displayFilm(opened), opened.attributes, longest),
  digest: (opened) => digestPixels(opened, undefined, resolution),
  close: async () => {},
});

export const unboundedReader = readerInThisThread();
