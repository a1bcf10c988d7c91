import { Router } from 'express';
import type { Prior } from '../../worklist/priors';
import { leadOf } from '../../worklist/record-columns';
import type { Worklist } from '../../worklist/worklist';
import type { Access } from '../access/access';
import { needs } from '../access/user';
import { BadRequest, uidOf } from './answers';
import type { PriorStudies, PriorStudy } from './contract';
import { filmView } from './detail-view';
import type { InTurn } from './query-turns';
import { dateView, type Rights, rowView } from './row-view';
import { audited, rightsOf } from './study-routes';

export interface PriorParts {
  readonly worklist: Pick<Worklist, 'study' | 'priors'>;
  readonly access: Pick<Access, 'audit'>;
  readonly inTurn: InTurn;
}

const MAX_PRIORS = 20;

/** Prior studies of a study's patient. */
export function priorRoutes({ worklist, access, inTurn }: PriorParts): Router {
  const router = Router();
  router.get('/studies/:study/priors', needs('radiologist'), async (request, response) => {
    const uid = uidOf(request.params['study']);
    const [opened, priors] = await inTurn(request, async () => [
      await worklist.study(uid),
      await worklist.priors(uid, MAX_PRIORS),
    ]);
    if (opened === null) throw new BadRequest(404, 'there is no such study on the list');
    const rights = rightsOf(request);
    // Also recorded without any, as that says something about the patient too.
    await access.audit(request, {
      kind: 'study-read',
      studies: [opened.row, ...priors.map(({ row }) => row)].map(audited),
    });
    response.json({ priors: priors.flatMap((prior) => priorView(prior, rights) ?? []) } satisfies PriorStudies);
  });
  return router;
}

function priorView({ row, record }: Prior, rights: Rights): PriorStudy | null {
  const view = rowView(row, rights);
  if (view === null) return null;
  const lead = leadOf(record.films);
  return {
    studyInstanceUid: view.studyInstanceUid,
    studyDate: dateView(row.studyDate),
    studyDescription: row.studyDescription,
    views: view.views,
    state: view.state,
    result: view.result,
    film: lead === undefined ? null : filmView(lead, row.studyInstanceUid, rights),
  };
}
