import { type ErrorRequestHandler, Router } from 'express';
import type { Log } from '../../base/log';
import type { Worklist } from '../../worklist/worklist';
import type { Access } from '../access/access';
import { hasRole, requiredUser, signedIn } from '../access/user';
import { pageRoutes } from '../static-pages';
import { json } from '../unreadable';
import { errorAnswers, notKept } from './answers';
import type { Session } from './contract';
import { Live } from './live';
import { type ModelParts, modelRoutes } from './model-routes';
import { type OperationParts, operationRoutes } from './operation-routes';
import { openRoutes } from './open-routes';
import { type OperatorParts, operatorRoutes } from './operator-routes';
import { type PictureParts, pictureRoutes } from './picture-routes';
import { priorRoutes } from './prior-routes';
import { queryTurns } from './query-turns';
import { iso } from './row-view';
import { type StudyParts, studyRoutes } from './study-routes';
import { viewRoutes } from './view-routes';
import { type WorkParts, workRoutes } from './work-routes';

/** What the reading list needs. */
export interface ListParts
  extends
    Omit<StudyParts, 'worklist' | 'access' | 'inTurn'>,
    Omit<PictureParts, 'worklist' | 'access'>,
    Pick<WorkParts, 'claimMs'>,
    Omit<OperatorParts, 'worklist' | 'access' | 'inTurn'>,
    Omit<OperationParts, 'inTurn' | 'installed' | 'version'> {
  readonly worklist: Worklist;
  readonly access: Pick<Access, 'audit' | 'current' | 'everyoneIsLocal'>;
  readonly installed: ModelParts;
  readonly version: string;
  readonly log: Log;
  /** Folder of the built pages; by default beside this file. */
  readonly pagesDir?: string;
  readonly liveEveryMs?: number;
  readonly liveRecheckMs?: number;
}

export interface ReadingListWeb {
  /** Routes to mount at the root, after the access layer's first handlers and before its error handler. */
  readonly routes: Router;
  /** Ends the live update streams, which would keep the server open. */
  close(): void;
}

const MAX_BODY = '16kb';

/** The reading list: API under /api/v1 and pages. Each route has a guard. */
export function readingListWeb(parts: ListParts): ReadingListWeb {
  const live = new Live({
    worklist: parts.worklist,
    access: parts.access,
    log: parts.log,
    everyMs: parts.liveEveryMs ?? 1_000,
    recheckMs: parts.liveRecheckMs ?? 30_000,
  });
  const api = Router();
  api.use(notKept, json(MAX_BODY));
  api.get('/session', signedIn, (request, response) => {
    const user = requiredUser(request);
    const patients = hasRole(user, 'radiologist');
    const mayOperate = hasRole(user, 'operator');
    response.json({
      user: user.name,
      mayReadStudies: patients || mayOperate,
      maySeePatients: patients,
      mayOperate,
      everyoneIsLocal: parts.access.everyoneIsLocal,
      viewers: patients ? parts.viewers : [],
      timeZone: parts.timeZone,
      now: iso(Date.now()),
      version: parts.version,
    } satisfies Session);
  });
  const queried = { ...parts, inTurn: queryTurns() };
  api.use(
    workRoutes(queried),
    openRoutes(queried),
    viewRoutes(queried),
    studyRoutes(queried),
    priorRoutes(queried),
    pictureRoutes(parts),
    live.routes(),
  );
  api.use(modelRoutes(parts.installed), operatorRoutes(queried), operationRoutes(queried));
  const errors: ErrorRequestHandler = errorAnswers(parts.log);
  const routes = Router();
  routes.use('/api/v1', api, errors);
  routes.use(pageRoutes(parts.pagesDir), errors);
  return { routes, close: () => live.close() };
}
