import { z } from 'zod';
import { fromConfigFolder } from '../base/schema';

/** Model folders by the configuration's key. */
export interface NamedModels {
  readonly view: string;
  /** The out-of-distribution check; or `off`. */
  readonly gate: string;
  readonly lungs: string;
  readonly classifiers: readonly string[];
}

/** Sets of shipped models. */
const PRESETS = {
  default: {
    view: 'view-lite0',
    gate: 'gate-lite0',
    lungs: 'lungs-unet16',
    classifiers: ['findings-lite0'],
  },
  paper: {
    view: 'view-vgg19',
    gate: 'gate-lite0',
    lungs: 'lungs-unet16',
    classifiers: ['covid-vgg19-lungs'],
  },
} as const satisfies Readonly<Record<string, NamedModels>>;
export type Preset = keyof typeof PRESETS;

const folder = (what: string) =>
  z.string().min(1).optional().describe(`Folder of ${what}; by default that of the preset`);

export const modelsSchema = z
  .strictObject({
    // Not path(): an empty one would become the configuration's own folder.
    dir: z
      .string()
      .overwrite(fromConfigFolder)
      .optional()
      .describe(
        'Folder of the model folders (path, relative to the configuration file); by default the models that come ' +
          'with Hilum',
      ),
    preset: z
      .enum(Object.keys(PRESETS) as [Preset, ...Preset[]])
      .default('default')
      .describe(
        'Set of models: default, or paper, for the networks of Arias-Garzon et al. 2021 behind the same first ' +
          'check. The keys below replace one of it each',
      ),
    view: folder('the view model'),
    gate: folder('the gate, which refuses what does not look like the films of the training, or off'),
    lungs: folder('the lung model'),
    classifiers: z
      .array(z.string().min(1))
      .min(1)
      .max(16)
      .optional()
      .describe('Folders of the classifiers, in the order of their findings; by default those of the preset'),
    classifier: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of the only classifier: the same as a list of one, which later versions have'),
    threads: z
      .number()
      .int()
      .min(0)
      .max(256)
      .default(1)
      .describe('Threads per model; 0 lets the engine take one per core, which costs twice the computing time'),
  })
  .refine(({ classifier, classifiers }) => classifier === undefined || classifiers === undefined, {
    path: ['classifier'],
    error: 'is beside classifiers: name the classifiers in one of both',
  })
  .prefault({});

/** The models that a configuration selects. */
export function namedModels(settings: z.infer<typeof modelsSchema>): NamedModels {
  const { preset, view, gate, lungs, classifier, classifiers } = settings;
  const usual = PRESETS[preset];
  return {
    view: view ?? usual.view,
    gate: gate ?? usual.gate,
    lungs: lungs ?? usual.lungs,
    classifiers: classifiers ?? (classifier === undefined ? usual.classifiers : [classifier]),
  };
}
