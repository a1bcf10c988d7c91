import { join } from 'node:path';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { FindingRule } from '../finding/finding';
import { type ModelManifest, readManifest } from '../model/manifest';
import { openModel } from '../model/session';
import { classificationSchema, decodeSchema, resultsSchema } from '../pipeline/config';
import { DecoderThread } from '../pipeline/decoder-thread';
import type { AnalysisIdentity, AnalysisModel } from '../pipeline/encode';
import { requireFit } from '../pipeline/fit';
import { plausibilityOf } from '../pipeline/lungs';
import type { Line } from '../pipeline/pipeline';
import { MINIMUM_AGE } from '../pipeline/subject';
import { SHIPPED_MODELS, VERSION } from './installed';
import { modelsOfFolder } from './models-of-folder';

/** What a line is opened from, in whatever thread. */
export type LineSettings = Pick<Config, 'models' | 'results' | 'decode' | 'classification'>;

/**
 * Loads the models and puts the line together; the site's own operating point goes before the classifier's. @throws
 * HilumError MODEL_INVALID, MODEL_DIGEST_MISMATCH or ENGINE_UNAVAILABLE.
 */
export async function openLine(
  models: Config['models'],
  results: Config['results'],
  decode: Config['decode'] = decodeSchema.parse({}),
  log?: Pick<Log, 'warn'>,
  { threshold: own, shortcutAudit, minimumAge }: Config['classification'] = classificationSchema.parse({}),
): Promise<Line> {
  const dir = models.dir ?? SHIPPED_MODELS;
  const open = (id: string) => openModel(dir, id, models.threads);
  const gate = models.gate === 'off' ? null : await open(models.gate);
  const [view, lungs, classifier] = [await open(models.view), await open(models.lungs), await open(models.classifier)];
  const shortcut = shortcutAudit === 'off' ? null : await open(shortcutAudit);
  requireFit({
    view: view.manifest,
    gate: gate?.manifest ?? null,
    lungs: lungs.manifest,
    classifier: classifier.manifest,
    shortcut: shortcut?.manifest ?? null,
  });
  const all = [view, ...(gate ? [gate] : []), lungs, classifier].map(({ manifest }) => describeModel(manifest));
  const classifiers = [{ model: classifier, rule: ruleOf(classifier.manifest, own) }];
  const settled: Omit<AnalysisIdentity, 'startedAt'> = {
    softwareVersion: VERSION,
    device: { name: 'Hilum', manufacturer: 'Hilum', model: 'Hilum chest-film triage' },
    models: [...all, ...(shortcut ? [{ ...describeModel(shortcut.manifest), task: 'audit' as const }] : [])],
    findings: classifiers.map(({ model, rule }) => ({ ...rule, model: model.manifest.id })),
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
    models: { view, gate, lungs, classifiers },
    plausibility: plausibilityOf(lungs.manifest),
    shortcutCheck: shortcut && { model: shortcut },
    identity: () => ({ ...settled, startedAt: new Date() }),
  };
}

/** What a classifier tells, held against the site's own operating point where it has one. */
function ruleOf({ classes, positive, operatingPoint }: ModelManifest, own: number | undefined): FindingRule {
  // Both are there: without them the classifier does not fit.
  const { label, code } = classes[positive]!;
  return { label, code: code!, operatingPoint: own ?? operatingPoint.threshold, mode: 'live' };
}

/**
 * The models that the configuration names, for a process that loads none: by their manifests alone, and without those
 * that are not installed here.
 */
export function namedModels({ models, classification: { shortcutAudit } }: Config): ModelManifest[] {
  const { dir = SHIPPED_MODELS, view, gate, lungs, classifier } = models;
  return [view, gate, lungs, classifier, shortcutAudit].flatMap((id) => {
    try {
      return id === 'off' ? [] : readManifest(join(dir, id));
    } catch {
      return [];
    }
  });
}

/**
 * The line for files, without the service: models and operating point of a configuration, or without one the models of
 * a folder, or those that come with Hilum.
 * @param note told which models of the folder do not run
 * @throws HilumError as {@link openLine}
 */
export function openLineForFiles(
  config: Config | null,
  modelsDir: string | undefined,
  note: (text: string) => void,
): Promise<Line> {
  return config === null
    ? openLine(modelsOfFolder(modelsDir, note), resultsSchema.parse({}))
    : openLine(
        { ...config.models, dir: modelsDir ?? config.models.dir },
        config.results,
        config.decode,
        undefined,
        config.classification,
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

function describeModel({ id, version, title, sha256, task, input }: ModelManifest): AnalysisModel {
  return { id, version, title, sha256, task, input: describeInput(input) };
}

const REGIONS: Readonly<Record<ModelManifest['input']['region'], string>> = {
  film: 'whole film',
  lungs: 'lungs only',
  removed: 'film without lungs',
};

function describeInput({ shape: [, , rows, columns], region }: ModelManifest['input']): string {
  return `${rows} x ${columns} grey, ${REGIONS[region]}`;
}
