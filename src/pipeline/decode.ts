import { HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import { bytesDigest, type ContentDigest, encodedDigest } from '../dicom/content-digest';
import { compressionHistory } from '../dicom/lossy';
import { PixelError } from '../dicom/pixel-error';
import type { Opened } from '../dicom/read';
import { tryParseUid, type Uid } from '../dicom/uid';
import type { Size } from '../imaging/plane';
import type { FilmReader, ReadFilm } from './film-reader';
import type { DecodedFilm, Refusal } from './stage';

/** A film with its header read and its pixels not decoded yet, so that refusing it by the header is cheap. */
export interface OpenedFilm {
  readonly sopInstanceUid: Uid;
  /** Attributes of the header, with those on lossy compression that the header lacks and the transfer syntax tells. */
  readonly attributes: Attributes;
  readonly opened: Opened & Partial<ReadFilm>;
}

/** @throws HilumError DICOM_UNREADABLE, also for a film without a UID, which no result could refer to */
export async function open(bytes: Uint8Array, reader: FilmReader): Promise<OpenedFilm> {
  const opened = await reader.read(bytes);
  const sopInstanceUid = tryParseUid(opened.sopInstanceUid);
  if (sopInstanceUid === undefined)
    throw new HilumError('DICOM_UNREADABLE', 'permanent', 'the object has no valid SOP Instance UID');
  return { sopInstanceUid, attributes: { ...opened.attributes, ...compressionHistory(opened) }, opened };
}

/** @throws PixelError (a HilumError PIXELS_UNDECODABLE) */
export async function decode(
  { sopInstanceUid, attributes, opened }: OpenedFilm,
  reader: FilmReader,
  size: Size,
): Promise<DecodedFilm> {
  return { sopInstanceUid, attributes, image: await reader.decode(opened, size) };
}

/** The refusal that an error about the film stands for; null for other errors, such as a lost archive. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof PixelError) return { reason: error.fault, text: error.message };
  if (error instanceof HilumError && error.code === 'DICOM_UNREADABLE')
    return { reason: 'unreadable', text: error.message };
  return null;
}

/** Digests of a film's content. @param decoded the decoded digest, where the film was decoded already */
export async function contentOf(
  { opened }: OpenedFilm,
  reader: FilmReader,
  decoded: string | null = null,
): Promise<ContentDigest> {
  return { encoded: encodedContent(opened), decoded: decoded ?? (await decodedContent(opened, reader)) };
}

/** Digests of a file's content; of one that can't be read, a digest of its bytes stands for it. */
export async function contentOfFile(bytes: Uint8Array, reader: FilmReader): Promise<ContentDigest> {
  try {
    return await contentOf(await open(bytes, reader), reader);
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    return { encoded: bytesDigest(bytes), decoded: null };
  }
}

/** {@link ContentDigest.encoded}: computed already where a reader has read the file. */
export function encodedContent(opened: OpenedFilm['opened']): string {
  return opened.encodedDigest ?? encodedDigest(opened);
}

/** Null where the pixels can't be decoded. */
export async function decodedContent(opened: Opened, reader: FilmReader): Promise<string | null> {
  try {
    return await reader.digest(opened);
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    return null;
  }
}
