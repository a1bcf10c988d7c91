import { type Request, Router } from 'express';
import type { Worklist } from '../../worklist/worklist';
import { needs, requiredUser } from '../access/user';
import { BadRequest } from './answers';
import { GivenView, ListView, type SavedViews } from './contract';
import { checked } from './study-routes';

interface ViewParts {
  readonly worklist: Pick<Worklist, 'views' | 'saveView' | 'removeView'>;
}

/** Saved views of a user, visible to nobody else: name, filters, order, search, columns. */
export function viewRoutes({ worklist }: ViewParts): Router {
  const router = Router();
  const mine = async (request: Request): Promise<SavedViews> => ({
    views: (await worklist.views(requiredUser(request).id)).flatMap(({ id, name, content }) => {
      // A view of another version that this one can't read is not shown.
      const view = ListView.safeParse(JSON.parse(content));
      return view.success ? [{ id, name, view: view.data }] : [];
    }),
  });
  router.get('/views', needs('radiologist', 'operator'), async (request, response) => {
    response.json(await mine(request));
  });
  router.post('/views', needs('radiologist', 'operator'), async (request, response) => {
    const { name, view } = checked(GivenView, request.body);
    if (!(await worklist.saveView(requiredUser(request).id, { name, content: JSON.stringify(view) })))
      throw new BadRequest(409, 'there are as many saved views as there may be: remove one first');
    response.status(201).json(await mine(request));
  });
  router.delete('/views/:view', needs('radiologist', 'operator'), async (request, response) => {
    if (!(await worklist.removeView(requiredUser(request).id, String(request.params['view']))))
      throw new BadRequest(404, 'there is no such view');
    response.json(await mine(request));
  });
  return router;
}
