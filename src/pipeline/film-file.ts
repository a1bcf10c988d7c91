import type { Attributes } from '../dicom/attributes';
import { type OpenedFilm, refusalOf } from './decode';
import { type FileKind, kindOf, openPicture } from './picture-file';
import { analyseOpened, analysePixels, type Pipeline, openFilm } from './pipeline';
import type { FilmOutcome } from './stage';

/** An opened file (DICOM, PNG or JPEG), or the outcome where it can't be opened. */
export interface OpenedFile {
  readonly kind: FileKind;
  readonly source: OpenedFilm | FilmOutcome;
  /** Attributes of the header; empty for a PNG or JPEG picture. */
  readonly header: Attributes;
}

/** Opens a DICOM, PNG or JPEG file; the kind is told by its first bytes. */
export async function openFile(bytes: Uint8Array, pipeline: Pick<Pipeline, 'reader'>): Promise<OpenedFile> {
  const kind = kindOf(bytes);
  if (kind !== 'dicom') return { kind, source: openedPicture(bytes, kind), header: {} };
  const source = await openFilm(bytes, pipeline);
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

/** Runs the pipeline on one file: a DICOM file from the header check on, a picture from the pixels on. */
export async function analyseFile({ kind, source }: OpenedFile, pipeline: Pipeline): Promise<FilmOutcome> {
  if ('outcome' in source) return source;
  return kind === 'dicom' ? analyseOpened(source, pipeline) : analysePixels(source, pipeline);
}
