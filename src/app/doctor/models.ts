import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import type { Config } from '../../config/config';
import { namedModels } from '../../model/config';
import type { ModelManifest } from '../../model/manifest';
import { openModel } from '../../model/session';
import { findingRules } from '../../pipeline/finding-rules';
import { requireCompatible } from '../../pipeline/model-compatibility';
import { SHIPPED_MODELS } from '../installed';

/** Loads and tries each model as at the start of the service, one after the other. */
export async function examineModels(config: Config): Promise<CheckResult[]> {
  const {
    models,
    classification: { shortcutAudit },
  } = config;
  const { view, gate, lungs, classifiers } = namedModels(models);
  const ids = [view, lungs, ...classifiers, ...[gate, shortcutAudit].filter((id) => id !== 'off')];
  const [checks, opened] = [[] as CheckResult[], new Map<string, ModelManifest>()];
  for (const id of ids) {
    try {
      const { manifest, network } = await openModel(models.dir ?? SHIPPED_MODELS, id, models.threads);
      await network.close();
      opened.set(id, manifest);
      checks.push({
        check: `model: ${id}`,
        ok: true,
        text: `version ${manifest.version}, digest matches, ${network.engine} runs it`,
      });
    } catch (error) {
      checks.push({ check: `model: ${id}`, ok: false, text: describeError(error) });
    }
  }
  return [...checks, ...examineCompatibility(opened, config)];
}

/** Checks that the models work together; only where each of them is usable. */
function examineCompatibility(
  opened: ReadonlyMap<string, ModelManifest>,
  { models, classification, findings }: Config,
): CheckResult[] {
  const named = namedModels(models);
  const [view, lungs] = [opened.get(named.view), opened.get(named.lungs)];
  const classifiers = named.classifiers.flatMap((id) => opened.get(id) ?? []);
  if (!view || !lungs || classifiers.length < named.classifiers.length) return [];
  try {
    const [outOfDistribution, shortcut] = [
      opened.get(named.gate) ?? null,
      opened.get(classification.shortcutAudit) ?? null,
    ];
    requireCompatible({ view, outOfDistribution, lungs, classifiers, shortcut });
    findingRules(classifiers, { rules: findings.rules, first: classification.threshold });
    return [];
  } catch (error) {
    return [{ check: 'models', ok: false, text: describeError(error) }];
  }
}
