import type { Resolution } from '../dicom/codecs';
import { encodedDigest, pixelsDigest } from '../dicom/content-digest';
import { digestPixels, displayFilm } from '../dicom/pixels';
import { type Opened, readPart10 } from '../dicom/read';
import type { Size } from '../imaging/plane';
import { type FilmPicture, pictureOf, reduce, type ReducedFilm } from './reduce';

/** A file that was read, with digests of what it holds. */
export interface ReadFilm extends Opened {
  /** Of its pixel data as sent. */
  readonly pixelsDigest: string;
  /** {@link ContentDigest.encoded} */
  readonly encodedDigest: string;
}

/**
 * Port: who works on bytes that nobody has vouched for; `decoder-thread.ts` does so within bounds of time and memory.
 */
export interface FilmReader {
  /** @throws HilumError DICOM_UNREADABLE */
  read(bytes: Uint8Array): Promise<ReadFilm>;
  /** @param size of the models' input @throws PixelError */
  decode(opened: Opened, size: Size): Promise<ReducedFilm>;
  /** @param longest side in pixels @throws PixelError */
  picture(opened: Opened, longest: number): Promise<FilmPicture>;
  /** `decoded` of {@link ContentDigest}, without making a picture of it. @throws PixelError */
  digest(opened: Opened): Promise<string>;
  close(): Promise<void>;
}

/**
 * In the caller's own thread, so without any bound of time: for files that are trusted.
 * @param resolution of what is analysed, and of its digest; whoever looks at a picture sees all of it
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
