import { join } from 'node:path';
import { describeError, HilumError } from '../base/errors';
import type { Config } from '../config/config';
import { modelsSchema, namedModels } from '../model/config';
import { type ModelManifest, readManifest, regionsOf } from '../model/manifest';
import { modelFolders } from './installed-models';

const ROLES = { view: 'view', gate: 'gate', lungs: 'lungs', classifiers: 'classification' } as const satisfies Record<
  string,
  ModelManifest['task']
>;
type Role = keyof typeof ROLES;

/**
 * The models that `--models DIR` selects where no configuration names them: for each task the shipped model where the
 * folder has it, else the only one.
 * @param say is called with models of the folder that do not run
 * @throws HilumError MODEL_INVALID when the folder has several models of a task and no shipped one, or none
 */
export function modelsOfFolder(dir: string | undefined, say: (text: string) => void): Config['models'] {
  const usual = modelsSchema.parse({});
  if (dir === undefined) return usual;
  const named = namedModels(usual);
  const found = modelFolders(dir).flatMap((name) => taskOf(dir, name, say));
  const choice = (role: Role) =>
    choose(
      role,
      [named[role]].flat(),
      found.filter(({ task }) => task === ROLES[role]).map(({ id }) => id),
      { dir, say },
    );
  const [view, gate, lungs] = (['view', 'gate', 'lungs'] as const).map((role) => choice(role)[0]);
  return { ...usual, dir, view, gate, lungs, classifiers: choice('classifiers') };
}

/** Task of a model. A classifier on the film without its lungs is for the shortcut check and never leads. */
function taskOf(dir: string, id: string, say: (text: string) => void): { id: string; task: ModelManifest['task'] }[] {
  try {
    const manifest = readManifest(join(dir, id));
    const { task } = manifest;
    return task === 'classification' && regionsOf(manifest).join() === 'removed' ? [] : [{ id, task }];
  } catch (error) {
    say(`${id} is left out: ${describeError(error)}`);
    return [];
  }
}

/** The shipped models where the folder has all of them, else the only one. */
function choose(
  role: Role,
  usual: readonly string[],
  ids: readonly string[],
  { dir, say }: { dir: string; say: (text: string) => void },
): string[] {
  const task = ROLES[role];
  const isUsual = usual.every((id) => ids.includes(id));
  const chosen = isUsual ? [...usual] : ids.slice(0, 1);
  const named = (names: readonly string[]) => names.join(' and ');
  const others = ids.filter((id) => !chosen.includes(id));
  if (chosen.length === 0)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${dir} holds no model for the task ${task} with a manifest that can be used (hilum models check): put the ` +
        `folder ${named(usual)} of Hilum there, or your own`,
    );
  if (others.length === 0) return chosen;
  if (!isUsual)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `${dir} holds several models for the task ${task}: ${ids.join(', ')}; leave one there, or name one in a configuration (models.${role})`,
    );
  say(
    `for the task ${task} runs ${named(chosen)}, not ${others.join(', ')}: models.${role} in a configuration names ` +
      `another, or take ${named(chosen)} out of ${dir}`,
  );
  return chosen;
}
