import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { CheckResult } from '../base/check-result';
import { describeError } from '../base/errors';
import { examineNetwork } from '../model/check';
import { inspectManifest, type ModelManifest, readModelFolder } from '../model/manifest';
import { openNetwork } from '../model/session';
import type { TfjsOptions } from '../model/tfjs-thread';
import { contradictionsOf } from '../pipeline/model-compatibility';

/** A model folder by its path, or an installed model's by its id. */
export function modelFolder(model: string, dir: string): string {
  const installed = join(dir, model);
  return existsSync(join(model, 'manifest.json')) ||
    model.includes('/') ||
    (existsSync(model) && !existsSync(installed))
    ? model
    : installed;
}

/**
 * Checks a model folder: manifest, files, engine, and the network's answers to drawn films. Each step needs the one
 * before; the first failure is the last result.
 */
export async function examineModel(folder: string, options: TfjsOptions = {}): Promise<CheckResult[]> {
  const { manifest, findings } = examineManifest(folder);
  if (manifest === null) return findings;
  try {
    const { network, shards } = readModelFolder(folder);
    const bytes = [network, ...shards.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    findings.push({
      check: 'files',
      ok: true,
      text: `${1 + shards.size} of the network, ${(bytes / 1e6).toFixed(1)} MB, SHA-256 ${manifest.sha256} matches`,
    });
  } catch (error) {
    return [...findings, { check: 'files', ok: false, text: describeError(error) }];
  }
  return [...findings, ...(await examineEngine(folder, manifest, options))];
}

async function examineEngine(folder: string, manifest: ModelManifest, options: TfjsOptions): Promise<CheckResult[]> {
  const started = performance.now();
  try {
    const network = await openNetwork(folder, manifest, 0, options);
    const loaded: CheckResult = {
      check: 'engine',
      ok: true,
      text: `${network.engine} loaded it in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    };
    try {
      return [loaded, ...(await examineNetwork(manifest, network))];
    } finally {
      await network.close();
    }
  } catch (error) {
    return [{ check: 'engine', ok: false, text: describeError(error) }];
  }
}

function examineManifest(folder: string): { manifest: ModelManifest | null; findings: CheckResult[] } {
  const wrong = (text: string): CheckResult => ({ check: 'manifest', ok: false, text });
  try {
    const { manifest, problems } = inspectManifest(folder);
    if (manifest === null) return { manifest, findings: problems.map(wrong) };
    const contradictions = [...misplaced(manifest, folder), ...contradictionsOf(manifest)].map(wrong);
    const { id, version, task } = manifest;
    const well: CheckResult = { check: 'manifest', ok: true, text: `${id} ${version}, task ${task}` };
    return {
      manifest,
      findings: [...(contradictions.length > 0 ? contradictions : [well]), ...examineDocumentation(manifest)],
    };
  } catch (error) {
    return { manifest: null, findings: [wrong(describeError(error))] };
  }
}

function misplaced({ id }: ModelManifest, folder: string): string[] {
  const name = basename(resolve(folder));
  return id === name
    ? []
    : [`id: ${id} lies in a folder named ${name}; the configuration names models by their folder`];
}

/** Checks that licence, intended use and limitations are stated. */
function examineDocumentation({ licence, intendedUse, limitations: named }: ModelManifest): CheckResult[] {
  const paper = (check: string, text: string) =>
    text.trim() === '' ? { check, ok: false, text: 'is empty' } : { check, ok: true, text };
  const limitations = named.filter((text) => text.trim() !== '');
  return [
    paper('licence', licence),
    paper('intended use', intendedUse),
    limitations.length > 0
      ? { check: 'limitations', ok: true, text: `${limitations.length} named` }
      : {
          check: 'limitations',
          ok: false,
          text: 'none are named: say at least on which films the model was never tried',
        },
  ];
}
