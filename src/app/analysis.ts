import { join } from 'node:path';
import { usableCores } from '../base/cores';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ModelManifest } from '../model/manifest';
import { AnalysisThreads } from '../pipeline/analysis-threads';
import type { AnalysisIdentity } from '../pipeline/encode';
import { inThisThread, type StudyLine } from '../pipeline/film-work';
import type { Line } from '../pipeline/pipeline';
import { type LineSettings, openReader } from './line';

/** What an analysis thread says of its line. */
export interface AnalysisDescription {
  /** But for its time. */
  readonly identity: AnalysisIdentity;
  /** Of the first one. */
  readonly classifier: ModelManifest;
}

/** What works on films in this process. */
export interface OpenedAnalysis {
  readonly line: StudyLine;
  readonly classifier: ModelManifest;
  close(): Promise<void>;
}

/** Films that are analysed at the same time. */
export function concurrencyOf({ analysis }: Pick<Config, 'analysis'>): number {
  return analysis.concurrency === 'auto' ? usableCores() : analysis.concurrency;
}

/** Threads as configured. @throws HilumError of the networks */
export async function openAnalysis(
  config: Config,
  log: Log,
  workerFile = join(__dirname, 'analysis-worker.js'),
): Promise<OpenedAnalysis> {
  const { models, results, decode, classification, findings } = config;
  const settings: LineSettings = { models, results, decode, classification, findings };
  const threads = await AnalysisThreads.open<AnalysisDescription>(
    { workerFile, settings, timeoutMs: config.analysis.timeoutMs, log },
    concurrencyOf(config),
  );
  const { identity, classifier } = threads.description;
  const reader = openReader(decode, log);
  return {
    line: { analyst: threads, reader, identity: () => ({ ...identity, startedAt: new Date() }) },
    classifier,
    close: () => Promise.all([threads.close(), reader.close()]).then(() => undefined),
  };
}

/** A line that is there, in this thread. */
export function analysisBy(line: Line): OpenedAnalysis {
  return {
    line: inThisThread(line),
    classifier: line.models.classifiers[0]!.model.manifest,
    close: () => line.reader.close(),
  };
}
