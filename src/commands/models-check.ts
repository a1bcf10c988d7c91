import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { SHIPPED_MODELS } from '../app/installed';
import { describeError } from '../base/errors';
import { examineNetwork, type Finding } from '../model/check';
import { inspectManifest, readModelFolder, type ModelManifest } from '../model/manifest';
import { openNetwork } from '../model/session';
import type { TfjsOptions } from '../model/tfjs-thread';
import { maskRuleOf, plausibilityOf } from '../pipeline/lungs';

/** Looks at a model folder: manifest, files, engine, and what the network says to drawn films. Resolves to 1 when something is wrong. */
export async function checkModel(options: { model: string; dir: string | undefined; json: boolean }): Promise<number> {
  const findings = await examineModel(folderOf(options.model, options.dir));
  for (const { check, ok, text } of findings) process.stdout.write(options.json ? `${JSON.stringify({ check, ok, text })}\n` : `${ok ? 'ok   ' : 'WRONG'} ${check}: ${text}\n`);
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

/** A folder by its path, or an installed model by its id. */
function folderOf(model: string, dir: string | undefined): string {
  return existsSync(join(model, 'manifest.json')) || model.includes('/') ? model : join(dir ?? SHIPPED_MODELS, model);
}

/** Each step needs the one before; the first that fails is the last that is told. */
export async function examineModel(folder: string, options: TfjsOptions = {}): Promise<Finding[]> {
  const { manifest, findings } = examineManifest(folder);
  if (manifest === null) return findings;
  try {
    const { network, shards } = readModelFolder(folder);
    const bytes = [network, ...shards.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    findings.push({ check: 'files', ok: true, text: `${1 + shards.size} of the network, ${(bytes / 1e6).toFixed(1)} MB, SHA-256 ${manifest.sha256} matches` });
  } catch (error) {
    return [...findings, { check: 'files', ok: false, text: describeError(error) }];
  }
  return [...findings, ...(await examineEngine(folder, manifest, options))];
}

async function examineEngine(folder: string, manifest: ModelManifest, options: TfjsOptions): Promise<Finding[]> {
  const started = performance.now();
  try {
    const network = await openNetwork(folder, manifest, 0, options);
    const loaded: Finding = { check: 'engine', ok: true, text: `${network.engine} loaded it in ${((performance.now() - started) / 1000).toFixed(1)} s` };
    try {
      return [loaded, ...(await examineNetwork(manifest, network))];
    } finally {
      await network.close();
    }
  } catch (error) {
    return [{ check: 'engine', ok: false, text: describeError(error) }];
  }
}

function examineManifest(folder: string): { manifest: ModelManifest | null; findings: Finding[] } {
  try {
    const { manifest, problems } = inspectManifest(folder);
    if (manifest === null) return { manifest, findings: problems.map((text) => ({ check: 'manifest', ok: false, text })) };
    const contradictions = contradictionsOf(manifest, basename(resolve(folder)));
    const findings = contradictions.map((text) => ({ check: 'manifest', ok: false, text }));
    return { manifest, findings: [...(findings.length > 0 ? findings : [{ check: 'manifest', ok: true, text: `${manifest.id} ${manifest.version}, task ${manifest.task}` }]), ...examinePapers(manifest)] };
  } catch (error) {
    return { manifest: null, findings: [{ check: 'manifest', ok: false, text: describeError(error) }] };
  }
}

/** What each value alone does not show. */
function contradictionsOf(manifest: ModelManifest, folderName: string): string[] {
  const { id, task, classes, positive, output } = manifest;
  const rules: readonly (readonly [wrong: boolean, text: string])[] = [
    [id !== folderName, `id: ${id} lies in a folder named ${folderName}; the configuration names models by their folder`],
    [positive >= classes.length, `positive: there is no class ${positive}, only ${classes.length}`],
    [task === 'classification' && positive < classes.length && classes[positive]?.code === undefined, 'classes: the positive class has no code {value, scheme, meaning}, which reports need'],
    [task === 'classification' && output.cam === null, "output.cam: a classifier without a class activation map can't be explained and is refused"],
    [task === 'lungs' && throws(() => maskRuleOf(manifest)), 'mask: the lung model needs {threshold, connectivity: 4, minComponentFraction}'],
    [task === 'lungs' && throws(() => plausibilityOf(manifest)), 'plausibility: the lung model needs bounds of lungFraction, components, smallerSideShare and meanProbability'],
  ];
  return rules.filter(([wrong]) => wrong).map(([, text]) => text);
}

function throws(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}

/** Who uses the model must be told what it may be used for. */
function examinePapers({ licence, intendedUse, limitations }: ModelManifest): Finding[] {
  const paper = (check: string, text: string) => (text.trim() === '' ? { check, ok: false, text: 'is empty' } : { check, ok: true, text });
  return [
    paper('licence', licence),
    paper('intended use', intendedUse),
    limitations.length > 0 ? { check: 'limitations', ok: true, text: `${limitations.length} named` } : { check: 'limitations', ok: false, text: 'none are named: say at least on which films the model was never tried' },
  ];
}
