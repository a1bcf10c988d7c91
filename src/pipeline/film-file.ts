import type { Attributes } from '../dicom/attributes';
import { type OpenedFilm, refusalOf } from './decode';
import { type FileKind, kindOf, openPicture } from './picture-file';
import { analyseOpened, analysePixels, type Line, openFilm } from './pipeline';
import type { FilmOutcome } from './stage';

/** A file of whatever kind, opened, or what came of opening it. */
export interface OpenedFile {
  readonly kind: FileKind;
  readonly source: OpenedFilm | FilmOutcome;
  /** Of its header; a picture has none. */
  readonly header: Attributes;
}

/** A DICOM file, PNG or JPEG, by its first bytes. */
export async function openFile(bytes: Uint8Array, line: Pick<Line, 'reader'>): Promise<OpenedFile> {
  const kind = kindOf(bytes);
  if (kind !== 'dicom') return { kind, source: openedPicture(bytes, kind), header: {} };
  const source = await openFilm(bytes, line);
  return { kind, source, header: 'outcome' in source ? {} : source.attributes };
}

function openedPicture(bytes: Uint8Array, kind: Exclude<FileKind, 'dicom'>): OpenedFilm | FilmOutcome {
  try {
    return openPicture(bytes, kind);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return { outcome: 'rejected', sopInstanceUid: null, refusal };
  }
}

/** The shipped pipeline on one file: a DICOM file from its header on, a picture from its pixels on. */
export async function analyseFile({ kind, source }: OpenedFile, line: Line): Promise<FilmOutcome> {
  if ('outcome' in source) return source;
  return kind === 'dicom' ? analyseOpened(source, line) : analysePixels(source, line);
}
