import { parentPort, workerData } from 'node:worker_threads';
import { serveFilms } from '../pipeline/analysis-requests';
import type { AnalysisDescription } from './analysis';
import { type LineSettings, openLine } from './line';

const port = parentPort;
if (port === null) throw new Error('analysis-worker.ts is started as a thread only');

void serveFilms(port, async (log) => {
  const line = await openLine(workerData as LineSettings, log);
  const description: AnalysisDescription = {
    identity: line.identity(),
    classifier: line.models.classifiers[0]!.model.manifest,
  };
  return { line, description };
});
