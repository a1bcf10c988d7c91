import { join } from 'node:path';
import { usableCores } from '../base/cores';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ModelManifest } from '../model/manifest';
import { AnalysisThreads } from '../pipeline/analysis-threads';
import type { AnalysisIdentity } from '../pipeline/encode';
import { inThisThread, type StudyPipeline } from '../pipeline/film-work';
import type { Pipeline } from '../pipeline/pipeline';
import { type PipelineSettings, openReader } from './pipeline';

/** What an analysis thread reports of its pipeline when it has started. */
export interface AnalysisDescription {
  /** Software version, device, models and settings; the start time is missing, it is set for each film. */
  readonly identity: AnalysisIdentity;
  /** Manifest of the first classifier. */
  readonly classifier: ModelManifest;
}

/** The film analysis of this process. */
export interface OpenedAnalysis {
  readonly pipeline: StudyPipeline;
  readonly classifier: ModelManifest;
  close(): Promise<void>;
}

/** Number of films that are analysed at the same time. */
export function concurrencyOf({ analysis }: Pick<Config, 'analysis'>): number {
  return analysis.concurrency === 'auto' ? usableCores() : analysis.concurrency;
}

/** Starts the analysis threads that the configuration asks for. @throws HilumError where a network can't be used */
export async function openAnalysis(
  config: Config,
  log: Log,
  workerFile = join(__dirname, 'analysis-worker.js'),
): Promise<OpenedAnalysis> {
  const { models, results, decode, classification, findings } = config;
  const settings: PipelineSettings = { models, results, decode, classification, findings };
  const threads = await AnalysisThreads.open<AnalysisDescription>(
    { workerFile, settings, timeoutMs: config.analysis.timeoutMs, log },
    concurrencyOf(config),
  );
  const { identity, classifier } = threads.description;
  const reader = openReader(decode, log);
  return {
    pipeline: { analyser: threads, reader, identity: () => ({ ...identity, startedAt: new Date() }) },
    classifier,
    close: () => Promise.all([threads.close(), reader.close()]).then(() => undefined),
  };
}

/** An analysis that runs in this thread, on a pipeline that is loaded already. */
export function analysisBy(pipeline: Pipeline): OpenedAnalysis {
  return {
    pipeline: inThisThread(pipeline),
    classifier: pipeline.models.classifiers[0]!.model.manifest,
    close: () => pipeline.reader.close(),
  };
}
