import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { SHIPPED_MODELS } from '../app/installed';
import { describeError } from '../base/errors';
import { examineNetwork, type Finding } from '../model/check';
import { inspectManifest, type ModelManifest, readModelFolder } from '../model/manifest';
import { openNetwork } from '../model/session';
import type { TfjsOptions } from '../model/tfjs-thread';
import { contradictionsOf } from '../pipeline/fit';

/**
 * Looks at a model folder: manifest, files, engine, and what the network says to drawn films. Resolves to 1 when
 * something is wrong.
 */
export async function checkModel(options: { model: string; dir: string | undefined; json: boolean }): Promise<number> {
  const findings = await examineModel(folderOf(options.model, options.dir));
  for (const { check, ok, text } of findings)
    process.stdout.write(
      options.json ? `${JSON.stringify({ check, ok, text })}\n` : `${ok ? 'ok   ' : 'WRONG'} ${check}: ${text}\n`,
    );
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

/** A folder by its path, or an installed model by its id. */
function folderOf(model: string, dir: string | undefined): string {
  const installed = join(dir ?? SHIPPED_MODELS, model);
  return existsSync(join(model, 'manifest.json')) ||
    model.includes('/') ||
    (existsSync(model) && !existsSync(installed))
    ? model
    : installed;
}

/** Each step needs the one before; the first that fails is the last that is told. */
export async function examineModel(folder: string, options: TfjsOptions = {}): Promise<Finding[]> {
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

async function examineEngine(folder: string, manifest: ModelManifest, options: TfjsOptions): Promise<Finding[]> {
  const started = performance.now();
  try {
    const network = await openNetwork(folder, manifest, 0, options);
    const loaded: Finding = {
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

function examineManifest(folder: string): { manifest: ModelManifest | null; findings: Finding[] } {
  try {
    const { manifest, problems } = inspectManifest(folder);
    if (manifest === null)
      return { manifest, findings: problems.map((text) => ({ check: 'manifest', ok: false, text })) };
    const folderName = basename(resolve(folder));
    const misplaced =
      manifest.id === folderName
        ? []
        : [`id: ${manifest.id} lies in a folder named ${folderName}; the configuration names models by their folder`];
    const findings = [...misplaced, ...contradictionsOf(manifest)].map((text) => ({
      check: 'manifest',
      ok: false,
      text,
    }));
    return {
      manifest,
      findings: [
        ...(findings.length > 0
          ? findings
          : [{ check: 'manifest', ok: true, text: `${manifest.id} ${manifest.version}, task ${manifest.task}` }]),
        ...examinePapers(manifest),
      ],
    };
  } catch (error) {
    return { manifest: null, findings: [{ check: 'manifest', ok: false, text: describeError(error) }] };
  }
}

/** Who uses the model must be told what it may be used for. */
function examinePapers({ licence, intendedUse, limitations: named }: ModelManifest): Finding[] {
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
