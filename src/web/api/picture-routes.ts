import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { limited } from '../../base/limited';
import type { Uid } from '../../dicom/uid';
import type { FilmReader } from '../../pipeline/film-reader';
import type { FilmRecord } from '../../sinks/record';
import type { StudyDetail, Worklist } from '../../worklist/worklist';
import type { Access } from '../access/access';
import { needs } from '../access/user';
import { BadRequest, uidOf } from './answers';
import type { FilmReport } from './contract';
import { filmOf, filmPath, objectPath, type ObjectPath } from './film-objects';
import {
  drawFilmPictures,
  drawHeatMapPictures,
  type FilmShape,
  heatMapName,
  PICTURE_SIZES,
  shapeOf,
} from './film-picture';
import { type Drawn, PictureCache } from './picture-cache';
import { reportView } from './report-view';
import { audited, checked } from './study-routes';

export interface PictureParts {
  readonly worklist: Pick<Worklist, 'study'>;
  readonly archive: { retrieve(path: ObjectPath): Promise<Uint8Array> };
  /** A thread of its own: whoever looks at pictures must not hold up the analysis. */
  readonly reader: FilmReader;
  readonly access: Pick<Access, 'audit'>;
  /** Pictures held in memory (bytes). */
  readonly cacheBytes: number;
}

/** Retrievals at a time: a page asks for twenty pictures at once, and the archive has others to serve. */
const AT_A_TIME = 3;
/** Shapes of films held: a few numbers each. */
const MOST_SHAPES = 20_000;

const size = z.coerce
  .number()
  .pipe(z.union(PICTURE_SIZES.map((one) => z.literal(one))))
  .default(256);
const filmQuery = z.strictObject({ size });
const heatMapQuery = z.strictObject({ size, part: z.enum(['film', 'whole']).default('whole') });

/** Pictures of films and heat maps, and reports, made from what the archive has when somebody asks. */
export function pictureRoutes(parts: PictureParts): Router {
  const { reader } = parts;
  const cache = new PictureCache(parts.cacheBytes);
  const films = new FilmShelf(parts);
  const router = Router();
  router.get('/studies/:study/films/:film/picture', needs('radiologist'), async (request, response) => {
    const asked = checked(filmQuery, request.query);
    const { study, film, uid } = await found(parts, request);
    const path = filmPath(uid, film);
    const pictures = await cache.get(`film ${path.sopInstanceUid}`, () => films.draw(path));
    await audit(parts, request, study);
    send(request, response, pictures.get(String(asked.size)));
  });
  router.get('/studies/:study/films/:film/heat-map', needs('radiologist'), async (request, response) => {
    const asked = checked(heatMapQuery, request.query);
    const { study, film, uid } = await found(parts, request);
    const path = objectPath(uid, film, 'heatMap');
    if (path === null) throw new BadRequest(404, 'there is no heat map of this film');
    const pictures = await cache.get(`heat map ${path.sopInstanceUid}`, async () =>
      drawHeatMapPictures(await films.retrieve(path), await films.shape(filmPath(uid, film)), reader),
    );
    await audit(parts, request, study);
    send(request, response, pictures.get(heatMapName(asked.size, asked.part)));
  });
  router.get('/studies/:study/films/:film/report', needs('radiologist'), async (request, response) => {
    const { study, film, uid } = await found(parts, request);
    const path = objectPath(uid, film, 'report');
    if (path === null) throw new BadRequest(404, 'there is no report of this film');
    const segmentation = objectPath(uid, film, 'segmentation');
    const report = await reader.read(await films.retrieve(path));
    const lungs = segmentation === null ? null : await reader.read(await films.retrieve(segmentation));
    const shape = film.seriesInstanceUid === null ? null : await films.shape(filmPath(uid, film));
    await audit(parts, request, study);
    const size = shape === null ? null : { rows: shape.rows, columns: shape.columns };
    response.json(reportView(report.attributes, size, lungs) satisfies FilmReport);
  });
  return router;
}

async function found(
  { worklist }: PictureParts,
  request: Request,
): Promise<{ study: StudyDetail; film: FilmRecord; uid: Uid }> {
  const uid = uidOf(request.params['study']);
  const study = await worklist.study(uid);
  if (study === null) throw new BadRequest(404, 'there is no such study on the list');
  return { study, uid, film: filmOf(study.record, uidOf(request.params['film'])) };
}

/** A picture of any size shows the film of a patient; it is drawn before, and not sent where this fails. */
function audit({ access }: PictureParts, request: Request, { row }: StudyDetail): Promise<void> {
  return access.audit(request, { kind: 'study-read', studies: [audited(row)] });
}

/** Objects of the archive, a few at a time, and the shapes of the films among them. */
class FilmShelf {
  private readonly shapes = new Map<string, FilmShape | null>();
  private readonly inTurn = limited(AT_A_TIME);

  constructor(private readonly parts: Pick<PictureParts, 'archive' | 'reader'>) {}

  retrieve(path: ObjectPath): Promise<Uint8Array> {
    return this.inTurn(() => this.parts.archive.retrieve(path));
  }

  async draw(path: ObjectPath) {
    const { pictures, shape } = await drawFilmPictures(await this.retrieve(path), this.parts.reader);
    this.remember(path, shape);
    return pictures;
  }

  /** A film's size is read once: the heat map's place depends on it. */
  async shape(path: ObjectPath): Promise<FilmShape | null> {
    const known = this.shapes.get(path.sopInstanceUid);
    if (known !== undefined) return known;
    const { attributes } = await this.parts.reader.read(await this.retrieve(path));
    return this.remember(path, shapeOf(attributes));
  }

  private remember(path: ObjectPath, shape: FilmShape | null): FilmShape | null {
    if (this.shapes.size >= MOST_SHAPES) this.shapes.clear();
    this.shapes.set(path.sopInstanceUid, shape);
    return shape;
  }
}

/**
 * Kept by nobody, the browser of who asked included (`notKept`): it shows a patient. Who has it still in hand, as an
 * open page may, and says so is not sent it again.
 */
function send(request: Request, response: Response, picture: Drawn | undefined): void {
  if (picture === undefined)
    throw new BadRequest(404, 'the stored heat map is laid out otherwise: its film part is not known');
  response.set({
    ETag: picture.etag,
    'Content-Type': picture.type,
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  if (request.fresh) response.status(304).end();
  else response.send(picture.bytes);
}
