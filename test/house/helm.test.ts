import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

const ROOT = resolve(__dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Amounts {
  readonly cpu: string;
  readonly memory: string;
}

const { worker, podDisruptionBudget } = parse(read('deploy/helm/hilum/values.yaml')) as {
  worker: { replicas: number; resources: { requests: Amounts; limits: Amounts } };
  podDisruptionBudget: { minAvailable: number };
};

const mebibytes = (text: string) => parseInt(text, 10) * (text.endsWith('Gi') ? 1024 : 1);

test('a worker has the memory that docs/performance.md asks for on its cores, and room above it', () => {
  const form = /\*\*Memory\*\*: (\d+) MiB for a process with one analysis thread, and some (\d+) MiB for each further/;
  const [, first, further] = form.exec(read('docs/performance.md'))!.map(Number);
  const { requests, limits } = worker.resources;
  const needed = first! + further! * (Number(limits.cpu) - 1);
  expect(mebibytes(requests.memory)).toBeGreaterThanOrEqual(needed);
  expect(mebibytes(limits.memory)).toBeGreaterThanOrEqual(1.5 * needed);
});

test('a node with a worker can be drained', () => {
  expect(podDisruptionBudget.minAvailable).toBeLessThan(worker.replicas);
});
