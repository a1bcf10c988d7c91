import { type Request, Router } from 'express';
import { z } from 'zod';
import { PRIORITIES } from '../../events/priority';
import { startOfDay } from '../../base/time-zone';
import { PAGE_ORDERS, type Selection, type WorkFilter } from '../../worklist/page-query';
import { SHOWN_STATES, VERDICTS } from '../../worklist/states';
import type { Worklist } from '../../worklist/worklist';
import type { Access } from '../access/access';
import type { AuditedStudy } from '../access/audit-event';
import { hasRole, needs, Refused, requiredUser } from '../access/user';
import { BadRequest, uidOf } from './answers';
import { type Agreement, GivenPriority, GivenVerdict, type StudyCount, type StudyPage } from './contract';
import { detailView, type Viewer } from './detail-view';
import type { InTurn } from './query-turns';
import { type Rights, rowView } from './row-view';

export interface StudyParts {
  readonly worklist: Pick<
    Worklist,
    'page' | 'count' | 'lastChange' | 'study' | 'verdict' | 'setPriority' | 'agreement' | 'verdictsCsv'
  >;
  readonly access: Pick<Access, 'audit'>;
  readonly inTurn: InTurn;
  /** Time zone of the site (IANA name), which decides when a day begins. */
  readonly timeZone: string;
  readonly viewers: readonly Viewer[];
}

const MAX_ROWS = 1_000;

export const OTHER_RESULT = 'the study has another result by now';

const selectionQuery = z.strictObject({
  state: z.enum(SHOWN_STATES).optional(),
  priority: z.enum(PRIORITIES).optional(),
  view: z.enum(['frontal', 'lateral']).optional(),
  verdict: z.enum(['none', ...VERDICTS]).optional(),
  work: z.enum(['unread', 'mine', 'read-today', 'all']).default('all'),
  hidden: z.enum(['include']).optional(),
  hours: z.coerce.number().positive().max(87_600).optional(),
  search: z.string().trim().max(64).optional(),
});

const pageQuery = selectionQuery.extend({
  order: z.enum(PAGE_ORDERS).default('oldest'),
  limit: z.coerce.number().int().min(1).max(MAX_ROWS).default(100),
  cursor: z.string().max(300).optional(),
});

/** Rights of a request: radiologists see patients; operators see the progress of a study, but not whose it is. */
export function rightsOf(request: Request): Rights {
  const user = requiredUser(request);
  return { patients: hasRole(user, 'radiologist'), user: user.id };
}

/** Routes of the list, a study and verdicts. */
export function studyRoutes({ worklist, access, inTurn, viewers, timeZone }: StudyParts): Router {
  const router = Router();
  router.get('/studies', needs('radiologist', 'operator'), async (request, response) => {
    const rights = rightsOf(request);
    const change = await worklist.lastChange();
    const query = checked(pageQuery, request.query);
    const { rows, next } = await inTurn(request, () => page(worklist, query, { ...rights, timeZone }));
    const shown = rows.flatMap((row) => rowView(row, rights) ?? []);
    await access.audit(request, {
      kind: 'query',
      query: new URL(request.originalUrl, 'http://list').search,
      studies: rights.patients ? rows.map(audited) : [],
    });
    response.json({ rows: shown, next, change } satisfies StudyPage);
  });
  router.get('/studies/count', needs('radiologist', 'operator'), async (request, response) => {
    const rights = rightsOf(request);
    const query = checked(selectionQuery, request.query);
    const { studies, urgent } = await inTurn(request, () =>
      worklist.count(selectionOf(query, { ...rights, timeZone })),
    );
    // Filters alone name no patient and are not recorded.
    if (query.search !== undefined)
      await access.audit(request, {
        kind: 'query',
        query: new URL(request.originalUrl, 'http://list').search,
        studies: [],
      });
    response.json({ studies, urgent } satisfies StudyCount);
  });
  router.get('/studies/:study', needs('radiologist', 'operator'), async (request, response) => {
    const rights = rightsOf(request);
    const uid = uidOf(request.params['study']);
    const found = await inTurn(request, () => worklist.study(uid));
    const view = found === null ? null : detailView(found, rights, viewers);
    if (found === null || view === null) throw new BadRequest(404, 'there is no such study on the list');
    if (rights.patients) await access.audit(request, { kind: 'study-read', studies: [audited(found.row)] });
    response.json(view);
  });
  router.post('/studies/:study/verdict', needs('radiologist'), async (request, response) => {
    const { verdict, note, completedAt } = checked(GivenVerdict, request.body);
    const { row } = await existing(worklist, request);
    await access.audit(request, { kind: 'study-updated', studies: [audited(row)] });
    const by = requiredUser(request);
    const on = completedAt === undefined ? {} : { completedAt: Date.parse(completedAt) };
    if (!(await worklist.verdict(row.studyInstanceUid, { verdict, note: note.trim(), by, ...on })))
      throw new BadRequest(409, row.completedAt === null ? 'the study has no result to judge yet' : OTHER_RESULT);
    response.status(201).json({ verdict });
  });
  // Raises the priority, or takes that back; the priorities of RIS and finding stay.
  router.post('/studies/:study/priority', needs('radiologist'), async (request, response) => {
    const { priority } = checked(GivenPriority, request.body);
    const { row } = await existing(worklist, request);
    await access.audit(request, { kind: 'study-updated', studies: [audited(row)] });
    await worklist.setPriority(row.studyInstanceUid, priority, requiredUser(request));
    response.json({ priority });
  });
  return router.use(verdictRoutes({ worklist, access, inTurn }));
}

function verdictRoutes({ worklist, access, inTurn }: Pick<StudyParts, 'worklist' | 'access' | 'inTurn'>): Router {
  const router = Router();
  router.get('/agreement', needs('radiologist', 'operator'), async (request, response) => {
    const { agree, disagree, unusable, share, interval } = await inTurn(request, () => worklist.agreement());
    response.json({
      agree,
      disagree,
      unusable,
      share: share === null || interval === null ? null : { value: share, low: interval[0], high: interval[1] },
    } satisfies Agreement);
  });
  router.get('/verdicts.csv', needs('radiologist'), async (request, response) => {
    await access.audit(request, { kind: 'export', studies: [], destination: 'verdicts.csv' });
    response.type('text/csv').attachment('verdicts.csv');
    await inTurn(request, async () => {
      for await (const line of worklist.verdictsCsv()) response.write(line);
    });
    response.end();
  });
  return router;
}

/** Rights of the request, and the site's time zone. */
type Asking = Rights & Pick<StudyParts, 'timeZone'>;

function workOf(
  work: z.infer<typeof selectionQuery>['work'],
  { user = '', timeZone }: Asking,
  now: number,
): WorkFilter | null {
  switch (work) {
    case 'unread':
      return { kind: 'unread' };
    case 'mine':
      return { kind: 'mine', by: user, now };
    case 'read-today':
      return { kind: 'read', from: startOfDay(now, timeZone) };
    case 'all':
      return null;
  }
}

/** @throws Refused 403 for a filter by what the rows do not show to the user */
function selectionOf(
  { state, priority, view, verdict, hours, search, work, hidden }: z.infer<typeof selectionQuery>,
  asking: Asking,
): Selection {
  if (verdict !== undefined && !asking.patients) throw new Refused(403, 'verdicts are for radiologists');
  const working = workOf(work, asking, Date.now());
  return {
    filters: {
      ...(working === null ? {} : { work: working }),
      withHidden: hidden === 'include',
      ...(state === undefined ? {} : { states: [state] }),
      ...(priority === undefined ? {} : { priority }),
      ...(view === undefined ? {} : { view }),
      ...(verdict === undefined ? {} : { verdict }),
      ...(hours === undefined ? {} : { arrivedFrom: Date.now() - hours * 3_600_000 }),
    },
    searchPatient: asking.patients,
    ...(search === undefined ? {} : { search }),
  };
}

function page(
  worklist: StudyParts['worklist'],
  { order, limit, cursor, ...selection }: z.infer<typeof pageQuery>,
  asking: Asking,
) {
  return worklist
    .page({
      ...selectionOf(selection, asking),
      order,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    })
    .catch((error: unknown) => {
      if (error instanceof RangeError) throw new BadRequest(400, 'cursor: not one of this list');
      throw error;
    });
}

/** @throws BadRequest 404 */
export async function existing(worklist: Pick<Worklist, 'study'>, request: Request) {
  const found = await worklist.study(uidOf(request.params['study']));
  if (found === null) throw new BadRequest(404, 'there is no such study on the list');
  return found;
}

/** @throws BadRequest 400 that names the wrong keys and quotes none of their values */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const keys = new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'the whole'));
  throw new BadRequest(400, `not understood: ${[...keys].join(', ')}`);
}

export function audited(row: {
  readonly studyInstanceUid: string;
  readonly patient: { readonly PatientID: string };
  readonly accessionNumber: string;
}): AuditedStudy {
  return {
    studyInstanceUid: row.studyInstanceUid,
    patientId: row.patient.PatientID || null,
    accessionNumber: row.accessionNumber || null,
  };
}
