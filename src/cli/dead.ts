import { knownSinks } from '../app/deliveries';
import { createLog } from '../base/log';
import { readConfig } from '../config/config';
import { connectBroker } from '../queue/broker';
import { deadLanes, type DeadLetter, type Fate, sortDeadLetters } from '../queue/dead-letters';

export type DeadAction = 'list' | 'show' | 'replay' | 'drop';

export interface DeadOptions {
  readonly action: DeadAction;
  /** Which letter; null for all. */
  readonly id: string | null;
  /** Which dead queue; null for all. */
  readonly queue: string | null;
  readonly config: string;
  readonly json: boolean;
}

const BROKER_WAIT_MS = 10_000;
const FATES: Readonly<Record<DeadAction, Fate>> = { list: 'keep', show: 'keep', replay: 'replay', drop: 'drop' };
const SAID: Readonly<Record<DeadAction, string>> = { list: '', show: '', replay: 'replayed', drop: 'dropped' };

/**
 * Looks at the studies and deliveries that were given up, tries them again, or throws them away. Resolves to 1 when
 * there is none with this id.
 */
export async function dead({ action, id, queue, config, json }: DeadOptions): Promise<number> {
  const settings = readConfig(config);
  const broker = connectBroker({ ...settings.broker, knownSinks: knownSinks(settings) }, createLog('silent'));
  const isMeant = (letter: DeadLetter) => id === null || letter.id === id;
  let found = 0;
  try {
    await broker.ready(BROKER_WAIT_MS);
    const lanes = await deadLanes(broker);
    for (const lane of lanes.filter(({ name }) => queue === null || name === queue)) {
      // Said at once, one by one: whatever happens to the rest, this one is done.
      const done = (letter: DeadLetter) => {
        if (isMeant(letter)) say(json ? JSON.stringify(toJson(letter, action)) : toText(letter, action, found++ === 0));
      };
      await sortDeadLetters(broker, (letter) => (isMeant(letter) ? FATES[action] : 'keep'), done, lane);
    }
  } finally {
    await broker.stop(0);
  }
  return conclude(found, action, id, json);
}

function conclude(found: number, action: DeadAction, id: string | null, json: boolean): number {
  if (found === 0 && id !== null) {
    process.stderr.write(`hilum: no dead letter has the id ${id}; "hilum dead list" shows them\n`);
    return 1;
  }
  if (json || action === 'show') return 0;
  if (found === 0) say('no dead letters');
  else if (action === 'list')
    say(
      `${found} given up; "hilum dead show ID" tells the history, "hilum dead replay ID" tries again, "hilum dead drop ID" forgets it`,
    );
  else say(`${found} ${SAID[action]}`);
  return 0;
}

function toJson(letter: DeadLetter, action: DeadAction): Record<string, unknown> {
  return { ...letter, ...(SAID[action] === '' ? {} : { action: SAID[action] }) };
}

function toText(letter: DeadLetter, action: DeadAction, isFirst: boolean): string {
  switch (action) {
    case 'list':
      return isFirst ? `${row('ID', 'QUEUE', 'DIED', 'TRIES', 'REASON', 'STUDY')}\n${listed(letter)}` : listed(letter);
    case 'show':
      return shown(letter);
    case 'replay':
    case 'drop':
      return `${letter.id}  ${SAID[action]}  ${letter.reason}  ${studyText(letter)}`;
  }
}

function row(id: string, queue: string, died: string, tries: string, reason: string, study: string): string {
  return `${id.padEnd(12)}  ${queue.padEnd(8)}  ${died.padEnd(24)}  ${tries.padStart(5)}  ${reason.padEnd(24)}  ${study}`;
}

function listed(letter: DeadLetter): string {
  return row(
    letter.id,
    letter.queue,
    letter.diedAt ?? 'unknown',
    String(letter.attempts.length),
    letter.reason,
    studyText(letter),
  );
}

function shown(letter: DeadLetter): string {
  const { id, queue, reason, diedAt, lost, attempts } = letter;
  const head = [
    `id       ${id}`,
    `queue    ${queue}`,
    `study    ${studyText(letter)}`,
    `reason   ${reason}  (docs/errors.md says what to do)`,
    `died     ${diedAt ?? 'unknown'}`,
    `lost     ${lost} times with a worker or broker that died`,
  ];
  const tries = attempts.map(({ attempt, at, code }) => `  ${String(attempt).padStart(2)}  ${at}  ${code}`);
  return [...head, `tries    ${attempts.length === 0 ? 'none noted' : ''}`.trimEnd(), ...tries].join('\n');
}

function studyText({ studyInstanceUid, bytes }: DeadLetter): string {
  return studyInstanceUid ?? `none named (${bytes} bytes)`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
