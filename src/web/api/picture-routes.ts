import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { Abandoned } from '../../base/ranked-queue';
import type { Uid } from '../../dicom/uid';
import type { FilmRecord } from '../../sinks/record';
import type { StudyDetail, Worklist } from '../../worklist/worklist';
import type { Access } from '../access/access';
import { TooMany } from '../access/limits';
import { needs } from '../access/user';
import { BadRequest, uidOf } from './answers';
import type { FilmReport } from './contract';
import { filmOf, filmPath, objectPath, type ObjectPath } from './film-objects';
import { heatMapName, PICTURE_SIZES, type PictureSize } from './film-picture';
import { FilmSource, type FilmSourceParts } from './film-source';
import { type Asker, type Drawn, PictureCache, SharedTask } from './picture-cache';
import { reportView } from './report-view';
import { audited, checked } from './study-routes';

export interface PictureParts extends FilmSourceParts {
  readonly worklist: Pick<Worklist, 'study'>;
  readonly access: Pick<Access, 'audit'>;
  /** Size of the cache (bytes). */
  readonly cacheBytes: number;
  /** Longest time that a drawn picture is kept (milliseconds). */
  readonly pictureMs: number;
}

/** Ranks: an open study before previews, previews before rows of the list; each film before its heat map. */
const RANKS: Readonly<Record<PictureSize, number>> = { 1024: 0, 256: 2, 96: 4 };
const BEHIND_ITS_FILM = 1;
const RETRY_S = 5;
const FORGET_EVERY_MS = 3_600_000;

const size = z.coerce
  .number()
  .pipe(z.union(PICTURE_SIZES.map((one) => z.literal(one))))
  .default(256);
const filmQuery = z.strictObject({ size });
const heatMapQuery = z.strictObject({ size, part: z.enum(['film', 'whole']).default('whole') });

/** Pictures of films and heat maps, and reports, made on request from the archive's objects. */
export function pictureRoutes(parts: PictureParts): Router {
  const cache = new PictureCache(parts.cacheBytes, parts.pictureMs);
  // For the life of the process.
  setInterval(() => cache.forget(), FORGET_EVERY_MS).unref();
  const filmSource = new FilmSource(parts);
  const heatMap = (path: ObjectPath, { uid, film }: Found, asker: Asker) =>
    cache.get(`heat map ${path.sopInstanceUid}`, asker, (task) => filmSource.heatMap(path, filmPath(uid, film), task));
  const router = Router();
  router.get('/studies/:study/films/:film/picture', needs('radiologist'), async (request, response) => {
    const asked = checked(filmQuery, request.query);
    const of = await found(parts, request);
    const path = filmPath(of.uid, of.film);
    const pictures = await cache
      .get(`film ${path.sopInstanceUid}`, askerOf(response, RANKS[asked.size]), (task) => filmSource.film(path, task))
      .catch(leftAlone);
    await audit(parts, request, of.study);
    send(request, response, pictures.get(String(asked.size)));
  });
  router.get('/studies/:study/films/:film/heat-map', needs('radiologist'), async (request, response) => {
    const asked = checked(heatMapQuery, request.query);
    const of = await found(parts, request);
    const path = objectPath(of.uid, of.film, 'heatMap');
    if (path === null) throw new BadRequest(404, 'there is no heat map of this film');
    const asker = askerOf(response, RANKS[asked.size] + BEHIND_ITS_FILM);
    const pictures = await heatMap(path, of, asker).catch(leftAlone);
    await audit(parts, request, of.study);
    send(request, response, pictures.get(heatMapName(asked.size, asked.part)));
  });
  router.get('/studies/:study/films/:film/report', needs('radiologist'), async (request, response) => {
    const of = await found(parts, request);
    const asker = askerOf(response, RANKS[1024] + BEHIND_ITS_FILM);
    const view = await reportOf(filmSource, of, asker, (path) => heatMap(path, of, asker)).catch(leftAlone);
    await audit(parts, request, of.study);
    response.json(view satisfies FilmReport);
  });
  return router;
}

/** Outlines of the lungs come from the Segmentation, else from the heat map. */
async function reportOf(
  filmSource: FilmSource,
  { uid, film }: Found,
  asker: Asker,
  drawHeatMap: (path: ObjectPath) => Promise<unknown>,
): Promise<FilmReport> {
  const [path, segmentation, heatMap] = (['report', 'segmentation', 'heatMap'] as const).map((kind) =>
    objectPath(uid, film, kind),
  ) as [ObjectPath | null, ObjectPath | null, ObjectPath | null];
  if (path === null) throw new BadRequest(404, 'there is no report of this film');
  const task = new SharedTask();
  task.join(asker);
  const report = await filmSource.read(path, task);
  const lungs = segmentation === null ? null : await filmSource.read(segmentation, task);
  const shape = film.seriesInstanceUid === null ? null : await filmSource.shape(filmPath(uid, film), task);
  // A heat map that is missing or can't be read does not affect the report.
  if (heatMap !== null && film.seriesInstanceUid !== null) await drawHeatMap(heatMap).catch(() => undefined);
  const size = shape === null ? null : { rows: shape.rows, columns: shape.columns };
  const stored = heatMap === null ? undefined : filmSource.outlinesOf(heatMap);
  return reportView(report.attributes, size, { segmentation: lungs, heatMap: stored ?? null });
}

function askerOf(response: Response, rank: number): Asker {
  return { rank, isGone: () => response.destroyed };
}

/** @throws TooMany in place of {@link Abandoned}: the client has gone */
function leftAlone(error: unknown): never {
  throw error instanceof Abandoned ? new TooMany(RETRY_S) : error;
}

interface Found {
  readonly study: StudyDetail;
  readonly film: FilmRecord;
  readonly uid: Uid;
}

async function found({ worklist }: PictureParts, request: Request): Promise<Found> {
  const uid = uidOf(request.params['study']);
  const study = await worklist.study(uid);
  if (study === null) throw new BadRequest(404, 'there is no such study on the list');
  return { study, uid, film: filmOf(study.record, uidOf(request.params['film'])) };
}

/** A picture of any size shows a patient's film: it is recorded before it is sent, and not sent where that fails. */
function audit({ access }: PictureParts, request: Request, { row }: StudyDetail): Promise<void> {
  return access.audit(request, { kind: 'study-read', studies: [audited(row)] });
}

/**
 * Not cached by browser or proxy (`notKept`), as it shows a patient. A page that still has it, as it says by its ETag,
 * is not sent it again.
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
