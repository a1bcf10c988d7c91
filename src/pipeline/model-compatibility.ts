import { HilumError } from '../base/errors';
import { headsOf, type ModelManifest, regionsOf, thresholdOf } from '../model/manifest';
import { maskRuleOf, plausibilityOf } from './lungs';
import { requireShortcutModel } from './shortcut-check';

/** Manifests of a pipeline's models by their role; null where there is none. */
export interface PipelineManifests {
  readonly view: ModelManifest;
  readonly outOfDistribution: ModelManifest | null;
  readonly lungs: ModelManifest;
  readonly classifiers: readonly ModelManifest[];
  readonly shortcut: ModelManifest | null;
}

const TASKS = {
  view: 'view',
  outOfDistribution: 'gate',
  lungs: 'lungs',
  classifiers: 'classification',
  shortcut: 'classification',
} as const satisfies Record<keyof PipelineManifests, ModelManifest['task']>;

/** Contradictions between the keys of a manifest, a sentence each. */
export function contradictionsOf(manifest: ModelManifest): string[] {
  const { task, classes, positive, output, schemaVersion } = manifest;
  const classifies = task === 'classification';
  const isMissing = positive !== undefined && classes !== undefined && positive >= classes.length;
  const nameless = isMissing ? [] : headsOf(manifest).filter(({ code }) => code === undefined);
  const rules: readonly (readonly [wrong: boolean, text: string])[] = [
    [isMissing, `positive: there is no class ${positive}, only ${classes?.length}, counted from 0`],
    [
      classifies && nameless.length > 0,
      schemaVersion === 1
        ? 'classes: the positive class has no code {value, scheme, meaning}, which reports need'
        : `heads: without a code, which reports need: ${nameless.map(({ label }) => label).join(', ')}`,
    ],
    [!classifies && (manifest.heads?.length ?? 1) > 1, `heads: a network for the task ${task} gives one answer`],
    [
      classifies && output.cam === null,
      "output.cam: a classifier without a class activation map can't be explained and is refused",
    ],
    [
      !classifies && regionsOf(manifest).join() !== 'film',
      `input.region: ${regionsOf(manifest).join(', ')} is for a classifier; the task ${task} is shown the whole film`,
    ],
  ];
  return [
    ...rules.filter(([wrong]) => wrong).map(([, text]) => text),
    ...(task === 'lungs' ? lungContradictions(manifest) : []),
  ];
}

function lungContradictions(manifest: ModelManifest): string[] {
  const missing = [maskRuleOf, plausibilityOf].flatMap((read) => messageOf(() => read(manifest)));
  if (missing.length > 0) return missing;
  const { threshold } = maskRuleOf(manifest);
  const point = thresholdOf(manifest);
  return threshold === point
    ? []
    : [
        `mask.threshold: it is ${threshold}, and operatingPoint.threshold ${point}; both say ` +
          'from where on a pixel is lung',
      ];
}

function messageOf(act: () => unknown): string[] {
  try {
    act();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/**
 * Refuses models that can't work together, before the first film.
 * @throws HilumError MODEL_INVALID
 */
export function requireCompatible(manifests: PipelineManifests): void {
  const filled = (Object.keys(TASKS) as (keyof PipelineManifests)[]).flatMap((role) =>
    [manifests[role]].flat().flatMap((manifest) => (manifest === null ? [] : [{ role, manifest }])),
  );
  const [, , rows, columns] = manifests.view.input.shape;
  for (const { role, manifest } of filled) {
    const [, , own, ownColumns] = manifest.input.shape;
    const problem = [
      ...(manifest.task === TASKS[role]
        ? []
        : [`its task is ${manifest.task}, where one for ${TASKS[role]} is configured`]),
      ...(own === rows && ownColumns === columns
        ? []
        : [
            `it takes films of ${own} x ${ownColumns}, and ${manifests.view.id} of ${rows} x ${columns}: all models ` +
              'of the line take the same size',
          ]),
      ...contradictionsOf(manifest),
    ][0];
    if (problem !== undefined) throw new HilumError('MODEL_INVALID', 'permanent', `${manifest.id}: ${problem}`);
  }
  if (manifests.shortcut !== null) requireShortcutModel(manifests.shortcut, manifests.classifiers[0]!);
}
