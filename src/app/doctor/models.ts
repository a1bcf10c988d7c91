import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import type { Config } from '../../config/config';
import type { ModelManifest } from '../../model/manifest';
import { openModel } from '../../model/session';
import { requireFit } from '../../pipeline/fit';
import { SHIPPED_MODELS } from '../installed';

/** Each is loaded and tried as at the service's start, one after the other, and let go again. */
export async function examineModels({ models, classification: { shortcutAudit } }: Config): Promise<CheckResult[]> {
  const optional = [
    ['gate', models.gate],
    ['shortcut', shortcutAudit],
  ] as const;
  const roles = [
    ['view', models.view],
    ['lungs', models.lungs],
    ['classifier', models.classifier],
    ...optional.filter(([, id]) => id !== 'off'),
  ] as const;
  const [findings, opened] = [[] as CheckResult[], new Map<string, ModelManifest>()];
  for (const [role, id] of roles) {
    try {
      const { manifest, network } = await openModel(models.dir ?? SHIPPED_MODELS, id, models.threads);
      await network.close();
      opened.set(role, manifest);
      findings.push({
        check: `model: ${id}`,
        ok: true,
        text: `version ${manifest.version}, digest matches, ${network.engine} runs it`,
      });
    } catch (error) {
      findings.push({ check: `model: ${id}`, ok: false, text: describeError(error) });
    }
  }
  return [...findings, ...examineFit(opened)];
}

/** Only once each of them is well. */
function examineFit(opened: ReadonlyMap<string, ModelManifest>): CheckResult[] {
  const [view, gate, lungs, classifier, shortcut] = ['view', 'gate', 'lungs', 'classifier', 'shortcut'].map((role) =>
    opened.get(role),
  );
  if (!view || !lungs || !classifier) return [];
  try {
    requireFit({ view, gate: gate ?? null, lungs, classifier, shortcut: shortcut ?? null });
    return [];
  } catch (error) {
    return [{ check: 'models', ok: false, text: describeError(error) }];
  }
}
