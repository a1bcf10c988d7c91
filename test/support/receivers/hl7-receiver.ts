import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../scripts/lib/servers.cjs';

export type Step = 'AA' | 'AE' | 'AR' | 'other' | 'noise' | 'silent' | 'cut' | 'die';

/** What python-hl7 understood of one message (hl7_receiver.py). Values: repetitions of components. */
interface Noted {
  readonly step: Step;
  readonly segments: readonly string[];
  readonly controlId: string;
  readonly type: string;
  readonly version: string;
  readonly charset: string;
  readonly patientId: readonly (readonly string[])[];
  readonly patientName: readonly (readonly string[])[];
  readonly service: readonly (readonly string[])[];
  readonly accession: string;
  readonly status: string;
  readonly note: string;
  readonly observations: readonly {
    readonly type: string;
    readonly concept: readonly (readonly string[])[];
    readonly group: string;
    readonly value: readonly (readonly string[])[];
    readonly unit: string;
    readonly status: string;
  }[];
  readonly connection: number;
}

export interface Hl7Receiver {
  readonly port: number;
  noted(): Noted[];
  /** After `die`, on the same port. */
  restart(plan?: readonly Step[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the receiver of another make in a process of its own. Needs Debian's python3-hl7. */
export async function hl7Receiver(
  plan: readonly Step[] = [],
  tls: readonly [cert: string, key: string, ca: string] | [] = [],
): Promise<Hl7Receiver> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'hilum-test-hl7-'));
  const notes = join(dir, 'notes.jsonl');
  let child = await start(port, notes, plan, tls);
  return {
    port,
    noted: () => (existsSync(notes) ? wholeLines(readFileSync(notes, 'utf8')) : []),
    restart: async (next = []) => void (child = await start(port, notes, next, tls)),
    stop: async () => {
      const ended =
        child.exitCode !== null || child.signalCode !== null
          ? Promise.resolve()
          : new Promise<void>((done) => child.once('exit', () => done()));
      child.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The receiver may be killed, or read, in the middle of its last line, which does not count then. */
const wholeLines = (text: string): Noted[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Noted);

function start(port: number, notes: string, plan: readonly Step[], tls: readonly string[]): Promise<ChildProcess> {
  const child = spawn(
    '/usr/bin/python3',
    [join(__dirname, 'hl7_receiver.py'), String(port), notes, plan.join(','), ...tls],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return new Promise((ready, reject) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdout.once('data', () => ready(child));
    child.once('exit', () => reject(new Error(`the HL7 receiver did not start: ${said}`)));
  });
}
