import { parentPort, workerData } from 'node:worker_threads';
import { serveFilms } from '../pipeline/analysis-requests';
import type { AnalysisDescription } from './analysis';
import { type PipelineSettings, openPipeline } from './pipeline';

const port = parentPort;
if (port === null) throw new Error('analysis-worker.ts is started as a thread only');

void serveFilms(port, async (log) => {
  const pipeline = await openPipeline(workerData as PipelineSettings, log);
  const description: AnalysisDescription = {
    identity: pipeline.identity(),
    classifier: pipeline.models.classifiers[0]!.model.manifest,
  };
  return { pipeline, description };
});
