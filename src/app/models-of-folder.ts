import { join } from 'node:path';
import { describeError, HilumError } from '../base/errors';
import type { Config } from '../config/config';
import { modelsSchema } from '../model/config';
import { type ModelManifest, readManifest } from '../model/manifest';
import { modelFolders } from './installed-models';

const ROLES = { view: 'view', gate: 'gate', lungs: 'lungs', classifier: 'classification' } as const satisfies Record<
  string,
  ModelManifest['task']
>;
type Role = keyof typeof ROLES;

/**
 * The models that `--models DIR` means, without a configuration that names them: of each task the one that comes with
 * Hilum where it lies there, else the only one.
 * @param say told which others lie there and do not run
 * @throws HilumError MODEL_INVALID when a task has several of one's own, or none
 */
export function modelsOfFolder(dir: string | undefined, say: (text: string) => void): Config['models'] {
  const usual = modelsSchema.parse({});
  if (dir === undefined) return usual;
  const found = modelFolders(dir).flatMap((name) => taskOf(dir, name, say));
  const chosen = Object.fromEntries(
    (Object.keys(ROLES) as Role[]).map((role) => [
      role,
      choose(
        role,
        usual[role],
        found.filter(({ task }) => task === ROLES[role]).map(({ id }) => id),
        { dir, say },
      ),
    ]),
  );
  return { ...usual, dir, ...chosen };
}

/** A classifier on all but the lungs is for the shortcut check, never the one in charge. */
function taskOf(dir: string, id: string, say: (text: string) => void): { id: string; task: ModelManifest['task'] }[] {
  try {
    const { task, input } = readManifest(join(dir, id));
    return task === 'classification' && input.region === 'removed' ? [] : [{ id, task }];
  } catch (error) {
    say(`${id} is left out: ${describeError(error)}`);
    return [];
  }
}

function choose(
  role: Role,
  usual: string,
  ids: readonly string[],
  { dir, say }: { dir: string; say: (text: string) => void },
): string {
  const [first, ...others] = ids.includes(usual) ? [usual, ...ids.filter((id) => id !== usual)] : ids;
  const task = ROLES[role];
  if (first === undefined)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${dir} holds no model for the task ${task} with a manifest that can be used (hilum models check): put the folder ${usual} of Hilum there, or your own`,
    );
  if (others.length === 0) return first;
  if (first !== usual)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${dir} holds several models for the task ${task}: ${ids.join(', ')}; leave one there, or name one in a configuration (models.${role})`,
    );
  say(
    `for the task ${task} runs ${usual}, not ${others.join(', ')}: models.${role} in a configuration names another, or take ${usual} out of ${dir}`,
  );
  return first;
}
