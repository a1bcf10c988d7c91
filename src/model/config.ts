import { z } from 'zod';
import { fromConfigFolder } from '../base/schema';

export const modelsSchema = z
  .strictObject({
    // Not path(): an empty one is the configuration's own folder.
    dir: z
      .string()
      .overwrite(fromConfigFolder)
      .optional()
      .describe(
        'Folder of the model folders (path, relative to the configuration file); by default the models that come ' +
          'with Hilum',
      ),
    view: z.string().default('view-vgg19').describe('Folder of the view model'),
    gate: z
      .string()
      .default('gate-cnn')
      .describe('Folder of the gate, which refuses what does not look like the films of the training; or off'),
    lungs: z.string().default('lungs-unet16').describe('Folder of the lung model'),
    classifier: z.string().default('covid-vgg19-lungs').describe('Folder of the classifier'),
    threads: z
      .number()
      .int()
      .min(0)
      .max(256)
      .default(1)
      .describe('Threads per model; 0 lets the engine take one per core, which costs twice the computing time'),
  })
  .prefault({});
