import { SHIPPED_MODELS } from '../app/installed';
import type { InstalledModel } from '../app/installed-models';
import { printChecks } from './check-results';
import { HilumCommand, note, print } from './command';

interface ModelsOptions {
  readonly dir?: string;
  readonly models?: string;
  readonly json?: boolean;
}

const check = new HilumCommand('check', 'checks a model folder, of your own or installed')
  .description(
    'Checks a model folder, of your own or installed: manifest, files, engine, and the answers to drawn films. Ends with 1 when something is wrong.',
  )
  .argument('<DIR|ID>', 'one folder or id')
  .example('hilum models check ./my-classifier', 'hilum models check lungs-unet16 --json')
  .does(async (model: string, { dir, models, json = false }: ModelsOptions) => {
    const { examineModel, modelFolder } = await import('../app/model-check.js');
    return printChecks(await examineModel(modelFolder(model, dir ?? models ?? SHIPPED_MODELS)), json);
  });

export const models = new HilumCommand('models', 'the installed models, their cards, digests checked')
  .description(
    'The installed models, their cards, and whether each network is the one its manifest names. Ends with 1 when any is not.',
  )
  .option('--dir <DIR>', 'another folder of models')
  .option('--models <DIR>', 'the same')
  .option('--json', 'one JSON line per model, or with check per finding')
  .example('hilum models', 'hilum models --dir /srv/models --json')
  .addCommand(check)
  .does(async ({ dir, models: same, json = false }: ModelsOptions) => {
    const { installedModels } = await import('../app/installed-models.js');
    const folder = dir ?? same ?? SHIPPED_MODELS;
    const rows = installedModels(folder);
    for (const row of rows) print(json ? JSON.stringify(row) : describe(row));
    if (rows.length === 0) note(`there is no model folder in ${folder}`);
    return rows.length > 0 && rows.every(({ problem }) => problem === null) ? 0 : 1;
  });

function describe(row: InstalledModel): string {
  if (row.problem !== null) return `${row.id}: PROBLEM: ${row.problem}\n`;
  return [
    `${row.id} ${row.version} (${row.task}): ${row.title}`,
    `  ${row.architecture}`,
    `  ${(row.bytes / 1e6).toFixed(1)} MB, SHA-256 ${row.sha256}: matches the manifest`,
    ...row.heads.map(describeHead),
    `  ${row.intendedUse}`,
    ...row.limitations.map((limitation) => `  - ${limitation}`),
    `  licence: ${row.licence}`,
    `  card: ${row.card}`,
    '',
  ].join('\n');
}

type Head = Extract<InstalledModel, { problem: null }>['heads'][number];

function describeHead({ label, operatingPoint, mode, reason }: Head): string {
  const shadow = mode === 'shadow' ? `, in shadow: ${reason ?? 'not validated'}` : '';
  return `  ${label}: operating point ${operatingPoint.threshold}, ${operatingPoint.meaning}${shadow}`;
}
