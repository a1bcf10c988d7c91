import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '../../../scripts/lib/servers.cjs';

export interface FhirReceiver {
  readonly url: string;
  /** All resources of a type that the server has. */
  all(type: string): Promise<Record<string, unknown>[]>;
  /** The transactions that it saw. */
  seen(): Promise<{ step: string; authorization: string | null; contentType: string }[]>;
  /** Forgets everything: loading the profiles takes seconds, so the tests of a file share one server. */
  begin(plan: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts Medplum's router, repository and validator in a process of its own (fhir_receiver.cjs says what a plan is).
 */
export async function fhirReceiver(plan: readonly string[] = []): Promise<FhirReceiver> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(__dirname, 'fhir_receiver.cjs'), String(port), plan.join(',')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await ready(child);
  const url = `http://127.0.0.1:${port}`;
  const ask = async <T>(path: string) => (await (await fetch(`${url}${path}`)).json()) as T;
  return {
    url,
    all: (type) => ask(`/_all?type=${type}`),
    seen: () => ask('/_seen'),
    begin: async (next) => void (await ask(`/_begin?plan=${next.join(',')}`)),
    stop: async () => {
      const ended =
        child.exitCode !== null || child.signalCode !== null
          ? Promise.resolve()
          : new Promise<void>((done) => child.once('exit', () => done()));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdout?.once('data', () => resolve());
    child.once('exit', () => reject(new Error(`the FHIR server did not start: ${said}`)));
  });
}
