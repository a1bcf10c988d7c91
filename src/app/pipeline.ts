import { join } from 'node:path';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import { findingsSchema } from '../finding/config';
import { modelsSchema, namedModels } from '../model/config';
import { type ModelManifest, readManifest, regionsOf } from '../model/manifest';
import { openModel, type OpenedModel } from '../model/session';
import { classificationSchema, decodeSchema, resultsSchema } from '../pipeline/config';
import { DecoderThread } from '../pipeline/decoder-thread';
import { HILUM } from '../objects/own-result';
import type { AnalysisIdentity, AnalysisModel } from '../pipeline/encode';
import { findingRules } from '../pipeline/finding-rules';
import { requireCompatible } from '../pipeline/model-compatibility';
import { plausibilityOf } from '../pipeline/lungs';
import type { Pipeline } from '../pipeline/pipeline';
import { MINIMUM_AGE } from '../pipeline/subject';
import { SHIPPED_MODELS, VERSION } from './installed';
import { modelsOfFolder } from './models-of-folder';

/** Settings that a pipeline is opened from, in whatever thread. */
export type PipelineSettings = Pick<Config, 'models' | 'results' | 'decode' | 'classification' | 'findings'>;

/** The settings with their defaults, for callers without a configuration file. */
export function pipelineSettings(given: Partial<PipelineSettings> = {}): PipelineSettings {
  return {
    models: modelsSchema.parse({}),
    results: resultsSchema.parse({}),
    decode: decodeSchema.parse({}),
    classification: classificationSchema.parse({}),
    findings: findingsSchema.parse({}),
    ...given,
  };
}

/**
 * Loads the models and builds the pipeline. Operating points of the configuration replace those of the manifests.
 * @throws HilumError MODEL_INVALID, MODEL_DIGEST_MISMATCH, ENGINE_UNAVAILABLE, or CONFIG_INVALID where a rule is for no
 * finding of the classifiers
 */
export async function openPipeline(settings: PipelineSettings, log?: Pick<Log, 'warn'>): Promise<Pipeline> {
  const { models, results, decode, classification, findings } = settings;
  const { shortcutAudit, minimumAge } = classification;
  const dir = models.dir ?? SHIPPED_MODELS;
  const named = namedModels(models);
  const open = (id: string) => openModel(dir, id, models.threads);
  const outOfDistribution = named.gate === 'off' ? null : await open(named.gate);
  const [view, lungs] = [await open(named.view), await open(named.lungs)];
  const networks: OpenedModel[] = [];
  for (const id of named.classifiers) networks.push(await open(id));
  const shortcut = shortcutAudit === 'off' ? null : await open(shortcutAudit);
  requireCompatible({
    view: view.manifest,
    outOfDistribution: outOfDistribution?.manifest ?? null,
    lungs: lungs.manifest,
    classifiers: networks.map(({ manifest }) => manifest),
    shortcut: shortcut?.manifest ?? null,
  });
  const all = [view, ...(outOfDistribution ? [outOfDistribution] : []), lungs, ...networks].map(({ manifest }) =>
    describeModel(manifest),
  );
  const rules = findingRules(
    networks.map(({ manifest }) => manifest),
    { rules: findings.rules, first: classification.threshold },
  );
  const classifiers = networks.map((model, at) => ({ model, rules: rules[at]! }));
  const settled: Omit<AnalysisIdentity, 'startedAt'> = {
    softwareVersion: VERSION,
    device: HILUM,
    models: [...all, ...(shortcut ? [{ ...describeModel(shortcut.manifest), task: 'audit' as const }] : [])],
    findings: classifiers.flatMap(({ model, rules: own }) =>
      own.flatMap((rule) => (rule === null ? [] : [{ ...rule, model: model.manifest.id }])),
    ),
    ...(minimumAge === MINIMUM_AGE ? {} : { minimumAge }),
    ...(decode.jpeg2000HalfResolution ? { jpeg2000Resolution: 'half' as const } : {}),
    srClass: results.reportClass,
    objects: {
      heatMap: results.heatMap,
      segmentation: results.segmentation,
      parametricMap: results.parametricMap,
      presentationState: results.presentationState,
    },
  };
  return {
    minimumAge,
    reader: openReader(decode, log),
    models: { view, outOfDistribution, lungs, classifiers },
    plausibility: plausibilityOf(lungs.manifest),
    shortcutCheck: shortcut && { model: shortcut },
    identity: () => ({ ...settled, startedAt: new Date() }),
  };
}

/**
 * Descriptions of the models that the configuration names, from their manifests alone, for a process that loads none.
 * Models that are not installed here are left out.
 */
export function installedOf({ models, classification: { shortcutAudit } }: Config): ModelManifest[] {
  const { view, gate, lungs, classifiers } = namedModels(models);
  return [view, gate, lungs, ...classifiers, shortcutAudit].flatMap((id) => {
    try {
      return id === 'off' ? [] : [readManifest(join(models.dir ?? SHIPPED_MODELS, id))];
    } catch {
      return [];
    }
  });
}

/**
 * The pipeline for files, without the service: models and operating points of a configuration, or else the models of a
 * folder, or else the shipped ones.
 * @param note is called with the models of the folder that do not run
 * @throws HilumError as {@link openPipeline}
 */
export function openPipelineForFiles(
  config: Config | null,
  modelsDir: string | undefined,
  note: (text: string) => void,
): Promise<Pipeline> {
  return openPipeline(
    config === null
      ? pipelineSettings({ models: modelsOfFolder(modelsDir, note) })
      : { ...config, models: { ...config.models, dir: modelsDir ?? config.models.dir } },
  );
}

/** A decoder thread as configured; it starts with the first film. */
export function openReader(
  { timeoutMs, jpeg2000HalfResolution }: Config['decode'],
  log?: Pick<Log, 'warn'>,
): DecoderThread {
  return new DecoderThread({
    timeoutMs,
    resolution: jpeg2000HalfResolution ? 'half' : 'whole',
    onLost: (why, task) =>
      log?.warn(
        { event: 'decoder.lost', why, task },
        'a film ended the decoder thread; the next one gets a new thread',
      ),
  });
}

function describeModel(manifest: ModelManifest): AnalysisModel {
  const { id, version, title, sha256, task } = manifest;
  return { id, version, title, sha256, task, input: describeInput(manifest) };
}

const REGION_NAMES: Readonly<Record<ReturnType<typeof regionsOf>[number], string>> = {
  film: 'whole film',
  lungs: 'lungs only',
  removed: 'film without lungs',
  box: 'box around the lungs',
};

function describeInput(manifest: ModelManifest): string {
  const [, , rows, columns] = manifest.input.shape;
  const regions = regionsOf(manifest).map((region) => REGION_NAMES[region]);
  return `${rows} x ${columns} grey, ${regions.join(' and ')}`;
}
