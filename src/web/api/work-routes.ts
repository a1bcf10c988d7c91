import { Router } from 'express';
import { startOfDay } from '../../base/time-zone';
import type { Worklist } from '../../worklist/worklist';
import { needs, requiredUser } from '../access/user';
import { BadRequest, uidOf } from './answers';
import { type ClaimAnswer, type ClaimReleased, GivenClaim, GivenRead, type WorkCounts } from './contract';
import { claimView, readView } from './row-view';
import { audited, checked, existing, OTHER_RESULT, rightsOf, type StudyParts } from './study-routes';

export interface WorkParts extends Pick<StudyParts, 'access' | 'inTurn' | 'timeZone'> {
  readonly worklist: Pick<Worklist, 'study' | 'work' | 'claim' | 'release' | 'markRead' | 'markUnread'>;
  /** Time that a claim holds unless it is renewed (milliseconds). */
  readonly claimMs: number;
}

/** Renewals within that time, so that one may fail. */
const RENEWALS = 3;

/** Routes for claiming a study and marking it as read. Changes are in the audit trail before they are made. */
export function workRoutes({ worklist, access, inTurn, timeZone, claimMs }: WorkParts): Router {
  const router = Router();
  router.get('/work', needs('radiologist', 'operator'), async (request, response) => {
    const from = startOfDay(Date.now(), timeZone);
    const counts = await inTurn(request, () => worklist.work(requiredUser(request).id, from));
    response.json(counts satisfies WorkCounts);
  });
  router.post('/studies/:study/claim', needs('radiologist'), async (request, response) => {
    const { takeOver } = checked(GivenClaim, request.body);
    const { row } = await existing(worklist, request);
    await access.audit(request, { kind: 'study-updated', studies: [audited(row)] });
    const by = requiredUser(request);
    const outcome = await worklist.claim(row.studyInstanceUid, { by, forMs: claimMs, takeOver });
    if (outcome === null) throw new BadRequest(404, 'there is no such study on the list');
    response.json({
      claimed: outcome.isClaimed,
      claim: claimView(outcome.claim, rightsOf(request)),
      read: readView(outcome.read, rightsOf(request)),
      renewAfterSeconds: Math.floor(claimMs / RENEWALS / 1_000),
    } satisfies ClaimAnswer);
  });
  // Releases one's own claim; nothing about a patient is shown or changed.
  router.delete('/studies/:study/claim', needs('radiologist'), async (request, response) => {
    const released = await worklist.release(uidOf(request.params['study']), requiredUser(request));
    response.json({ released } satisfies ClaimReleased);
  });
  router.post('/studies/:study/read', needs('radiologist'), async (request, response) => {
    const { read, completedAt } = checked(GivenRead, request.body);
    const { row } = await existing(worklist, request);
    await access.audit(request, { kind: 'study-updated', studies: [audited(row)] });
    const by = requiredUser(request);
    const on = completedAt === undefined ? {} : { completedAt: completedAt === null ? null : Date.parse(completedAt) };
    if (read && !(await worklist.markRead(row.studyInstanceUid, { how: 'person', by, ...on })))
      throw completedAt === undefined
        ? new BadRequest(404, 'there is no such study on the list')
        : new BadRequest(409, OTHER_RESULT);
    if (!read) await worklist.markUnread(row.studyInstanceUid, by);
    response.json({ read });
  });
  return router;
}
