import { Router } from 'express';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HilumError } from '../../base/errors';
import { signedIn } from '../access/user';
import { BadRequest } from './answers';
import type { ModelCard } from './contract';

export interface ModelParts {
  /** Folder of the model folders. */
  readonly dir: string;
  /** Models in use: only their folders are read. */
  readonly models: readonly { readonly id: string; readonly version: string }[];
}

/** Model cards of the models in use: purpose, measured performance, limitations. */
export function modelRoutes({ dir, models }: ModelParts): Router {
  const router = Router();
  router.get('/models/:id/card', signedIn, async (request, response) => {
    const model = models.find(({ id }) => id === request.params['id']);
    if (model === undefined) throw new BadRequest(404, 'no such model is in use');
    const text = await readFile(join(dir, model.id, 'card.md'), 'utf8').catch((cause: unknown) => {
      throw new HilumError('NOT_FOUND', 'permanent', `the model ${model.id} has no card`, { cause });
    });
    response.json({ id: model.id, version: model.version, text } satisfies ModelCard);
  });
  return router;
}
