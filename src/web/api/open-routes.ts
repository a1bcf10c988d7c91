import { Router } from 'express';
import type { Worklist } from '../../worklist/worklist';
import { needs, requiredUser } from '../access/user';
import { BadRequest, uidOf } from './answers';
import { GivenOpen, type OpenClosed, type OpenElsewhere } from './contract';
import { checked, existing } from './study-routes';

interface OpenParts {
  readonly worklist: Pick<Worklist, 'study' | 'keepOpen' | 'close'>;
}

/** Interval at which a page confirms that it still shows its study (seconds); two confirmations may fail or be late. */
const RENEW_S = 30;
const HOLD_MS = 3 * RENEW_S * 1_000;

/**
 * Studies that are open on other pages. Visible to users who see claims; shows nothing about a patient, and opening a
 * study is audited by the study's own route.
 */
export function openRoutes({ worklist }: OpenParts): Router {
  const router = Router();
  router.post('/studies/:study/open', needs('radiologist'), async (request, response) => {
    const { page } = checked(GivenOpen, request.body);
    const { row } = await existing(worklist, request);
    const by = requiredUser(request);
    const others = await worklist.keepOpen(row.studyInstanceUid, { by, page, forMs: HOLD_MS });
    response.json({
      others: others.map(({ id, name }) => ({ by: name, mine: id === by.id })),
      renewAfterSeconds: RENEW_S,
    } satisfies OpenElsewhere);
  });
  router.delete('/studies/:study/open/:page', needs('radiologist'), async (request, response) => {
    const parsed = GivenOpen.safeParse({ page: request.params['page'] });
    if (!parsed.success) throw new BadRequest(404, 'there is no such page');
    await worklist.close(uidOf(request.params['study']), { by: requiredUser(request), page: parsed.data.page });
    response.json({ closed: true } satisfies OpenClosed);
  });
  return router;
}
