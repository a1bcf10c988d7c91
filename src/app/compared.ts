import { stat } from 'node:fs/promises';
import { HilumError } from '../base/errors';
import { readConfig } from '../config/config';
import type { Comparison } from '../evaluation/comparison';
import type { Pipeline } from '../pipeline/pipeline';
import { openPipelineForFiles } from './pipeline';

/** What `--compare` names: other models, another configuration or another threshold. */
export interface Compared {
  readonly kind: Comparison['kind'];
  /** As given on the command line. */
  readonly name: string;
  /** The same pipeline where only the threshold differs. */
  readonly pipeline: Pipeline;
  readonly threshold: number;
  close(): Promise<void>;
}

/**
 * Opens what `--compare` names: a threshold (0 to 1) for the same models, a folder of models, or a configuration.
 * @throws HilumError LABELS_INVALID where it is none of these or does not report the finding; errors of configuration
 * and models
 */
export async function openCompared(
  name: string,
  { pipeline, finding }: { readonly pipeline: Pipeline; readonly finding: string },
  note: (text: string) => void,
): Promise<Compared> {
  if (/^(0|1|[01]?\.\d+)$/.test(name)) {
    const threshold = Number(name);
    if (threshold > 1) throw unusable(`--compare ${name} is no threshold: that is 0 to 1`);
    return { kind: 'threshold', name, pipeline, threshold, close: async () => {} };
  }
  const found = await stat(name).catch(() => null);
  if (found === null)
    throw unusable(`--compare ${name} is neither a threshold nor a folder of models nor a configuration that is there`);
  const isFolder = found.isDirectory();
  const second = isFolder
    ? await openPipelineForFiles(null, name, note)
    : await openPipelineForFiles(readConfig(name), undefined, note);
  const told = second.identity().findings.find(({ label }) => label === finding);
  if (told === undefined) {
    await second.reader.close();
    const known = second.identity().findings.map(({ label }) => label);
    throw unusable(`--compare ${name} has no finding ${finding}; its classifiers tell ${known.join(', ')}`);
  }
  return {
    kind: isFolder ? 'models' : 'configuration',
    name,
    pipeline: second,
    threshold: told.operatingPoint,
    close: () => second.reader.close(),
  };
}

const unusable = (message: string) => new HilumError('LABELS_INVALID', 'permanent', message);
