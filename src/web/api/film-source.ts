import { type RankedTask, RankedQueue } from '../../base/ranked-queue';
import type { FilmReader, ReadFilm } from '../../pipeline/film-reader';
import type { ObjectPath } from './film-objects';
import { drawFilmPictures, drawHeatMapPictures, type FilmShape, shapeOf } from './film-picture';
import type { Drawn } from './picture-cache';
import type { StoredOutlines } from './stored-outlines';

export interface FilmSourceParts {
  readonly archive: { retrieve(path: ObjectPath): Promise<Uint8Array> };
  /** A decoder thread of its own, so that drawing pictures does not hold up the analysis. */
  readonly reader: FilmReader;
}

/** Retrievals at the same time: a page asks for twenty pictures at once, and the archive has other clients. */
const AT_A_TIME = 3;
/** Largest number of film shapes kept: a few numbers each. */
const MAX_SHAPES = 20_000;
/** Largest number of heat map outlines kept: a few hundred points each. */
const MAX_OUTLINES = 500;

/**
 * Retrieves objects from the archive, a few at a time, and draws them, one at a time, by rank. No task waits for a slot
 * while it holds another.
 */
export class FilmSource {
  private readonly shapes = new Map<string, FilmShape | null>();
  private readonly outlines = new Map<string, StoredOutlines>();
  private readonly drawing = new Map<string, Promise<unknown>>();
  private readonly retrievals = new RankedQueue(AT_A_TIME, 1);
  private readonly decodings = new RankedQueue(1);

  constructor(private readonly parts: FilmSourceParts) {}

  async read(path: ObjectPath, task: RankedTask): Promise<ReadFilm> {
    const bytes = await this.retrieve(path, task);
    return this.decodings.run(task, () => this.parts.reader.read(bytes));
  }

  film(path: ObjectPath, task: RankedTask): Promise<ReadonlyMap<string, Drawn>> {
    const drawn = this.drawFilm(path, task).finally(() => this.drawing.delete(path.sopInstanceUid));
    this.drawing.set(path.sopInstanceUid, drawn);
    return drawn;
  }

  async heatMap(path: ObjectPath, film: ObjectPath, task: RankedTask): Promise<ReadonlyMap<string, Drawn>> {
    const bytes = await this.retrieve(path, task);
    const shape = await this.shape(film, task);
    const { pictures, outlines } = await this.decodings.run(task, () =>
      drawHeatMapPictures(bytes, shape, this.parts.reader),
    );
    keep(this.outlines, MAX_OUTLINES, path.sopInstanceUid, outlines);
    return pictures;
  }

  /** Outlines as of when the heat map was drawn; undefined where that has not happened or they were dropped. */
  outlinesOf({ sopInstanceUid }: ObjectPath): StoredOutlines | undefined {
    return this.outlines.get(sopInstanceUid);
  }

  /** The size of a film is read once; the position of the heat map depends on it. */
  async shape(path: ObjectPath, task: RankedTask): Promise<FilmShape | null> {
    // If the film is being drawn, its shape is found on the way.
    await this.drawing.get(path.sopInstanceUid)?.catch(() => undefined);
    const known = this.shapes.get(path.sopInstanceUid);
    if (known !== undefined) return known;
    const { attributes } = await this.read(path, task);
    return keep(this.shapes, MAX_SHAPES, path.sopInstanceUid, shapeOf(attributes));
  }

  private async drawFilm(path: ObjectPath, task: RankedTask): Promise<ReadonlyMap<string, Drawn>> {
    const bytes = await this.retrieve(path, task);
    const { pictures, shape } = await this.decodings.run(task, () => drawFilmPictures(bytes, this.parts.reader));
    keep(this.shapes, MAX_SHAPES, path.sopInstanceUid, shape);
    return pictures;
  }

  private retrieve(path: ObjectPath, task: RankedTask): Promise<Uint8Array> {
    return this.retrievals.run(task, () => this.parts.archive.retrieve(path));
  }
}

function keep<T>(map: Map<string, T>, most: number, key: string, value: T): T {
  if (map.size >= most) map.clear();
  map.set(key, value);
  return value;
}
