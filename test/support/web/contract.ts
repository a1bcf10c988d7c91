import type { z } from 'zod';
import * as contract from '../../../src/web/api/contract';

/** What each route answers as JSON, below /api/v1. */
const ANSWERS: Readonly<Record<string, z.ZodType>> = {
  'GET /session': contract.Session,
  'GET /studies': contract.StudyPage,
  'GET /studies/count': contract.StudyCount,
  'GET /work': contract.WorkCounts,
  'POST /studies/:study/claim': contract.ClaimAnswer,
  'DELETE /studies/:study/claim': contract.ClaimReleased,
  'POST /studies/:study/read': contract.GivenRead.pick({ read: true }),
  'POST /studies/:study/open': contract.OpenElsewhere,
  'DELETE /studies/:study/open/:page': contract.OpenClosed,
  'GET /views': contract.SavedViews,
  'POST /views': contract.SavedViews,
  'DELETE /views/:view': contract.SavedViews,
  'GET /studies/:study': contract.StudyDetail,
  'GET /studies/:study/priors': contract.PriorStudies,
  'POST /studies/:study/verdict': contract.GivenVerdict.pick({ verdict: true }),
  'POST /studies/:study/priority': contract.GivenPriority,
  'GET /studies/:study/films/:film/report': contract.FilmReport,
  'GET /agreement': contract.Agreement,
  'GET /models/:model/card': contract.ModelCard,
  'GET /operators/overview': contract.Overview,
  'GET /operators/turnaround': contract.Turnaround,
  'GET /operators/installation': contract.Installation,
  'GET /operators/dead-letters': contract.DeadLetterList,
  'POST /operators/dead-letters/replay-all': contract.DeadLettersDone,
  'POST /operators/dead-letters/:letter/replay': contract.DeadLettersDone,
  'POST /operators/dead-letters/:letter/drop': contract.DeadLettersDone,
};

const routes = Object.entries(ANSWERS).map(([route, schema]) => ({
  form: new RegExp(`^${route.replace(/:\w+/g, '[^/]+')}$`),
  schema,
}));

/**
 * The answer as it is. @throws Error when it is JSON of the API and not what the contract says, to the last key.
 */
export async function heldToContract(method: 'GET' | 'POST' | 'DELETE', answer: Response): Promise<Response> {
  const [, path] = /^\/api\/v1(\/.*)$/.exec(new URL(answer.url).pathname) ?? [];
  if (path === undefined || !answer.headers.get('content-type')?.startsWith('application/json')) return answer;
  const schema = answer.ok ? routes.find(({ form }) => form.test(`${method} ${path}`))?.schema : contract.ErrorAnswer;
  if (schema === undefined) throw new Error(`${method} ${path} answers what no contract names`);
  schema.parse(await answer.clone().json());
  return answer;
}
