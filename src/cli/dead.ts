import type { DeadLetter, DeadLetterAction } from '../app/dead-letters';
import { configOption, HilumCommand, loadConfig, note, print, UsageError } from './command';

type DeadAction = 'list' | 'show' | 'replay' | 'drop';

interface DeadOptions {
  readonly config: string;
  readonly queue?: string;
  readonly json?: boolean;
  /** For replay and drop. */
  readonly all?: boolean;
}

const ACTIONS: Readonly<Record<DeadAction, DeadLetterAction>> = {
  list: 'keep',
  show: 'keep',
  replay: 'replay',
  drop: 'drop',
};
const SAID: Readonly<Record<DeadAction, string>> = { list: '', show: '', replay: 'replayed', drop: 'dropped' };

const list = new HilumCommand('list', 'all of them, oldest first')
  .example(
    'hilum dead list --config /etc/hilum/hilum.yaml',
    'hilum dead list --queue hl7 --config /etc/hilum/hilum.yaml',
  )
  .does((options: DeadOptions) => sort('list', null, options));

const show = new HilumCommand('show', 'one of them, with its history')
  .argument('<ID>', 'one ID, as "hilum dead list" shows it')
  .example('hilum dead show 0f3a5c7e9b1d --config /etc/hilum/hilum.yaml')
  .does((id: string, options: DeadOptions) => sort('show', id, options));

const replay = new HilumCommand('replay', 'tries one, or all, again, from the first try')
  .argument('[ID]', 'one ID, as "hilum dead list" shows it')
  .option('--all', 'all of them')
  .example(
    'hilum dead replay 0f3a5c7e9b1d --config /etc/hilum/hilum.yaml',
    'hilum dead replay --all --queue fhir --config /etc/hilum/hilum.yaml',
  )
  .does((id: string | undefined, options: DeadOptions) => sort('replay', oneOrAll('replay', id, options), options));

const drop = new HilumCommand('drop', 'forgets one, or all')
  .argument('[ID]', 'one ID, as "hilum dead list" shows it')
  .option('--all', 'all of them')
  .example('hilum dead drop 0f3a5c7e9b1d --config /etc/hilum/hilum.yaml')
  .does((id: string | undefined, options: DeadOptions) => sort('drop', oneOrAll('drop', id, options), options));

export const dead = new HilumCommand('dead', 'the studies and deliveries that were given up')
  .description('The studies and deliveries that were given up: looks at them, tries them again, or throws them away.')
  .addOption(configOption())
  .option('--queue <NAME>', 'only those of one queue: study, or a sink such as hl7')
  .option('--json', 'one JSON line per letter')
  .example('hilum dead list --config /etc/hilum/hilum.yaml')
  .addCommand(list)
  .addCommand(show)
  .addCommand(replay)
  .addCommand(drop);

/** An id or `--all`: nothing is replayed or dropped by mistake. */
function oneOrAll(action: DeadAction, id: string | undefined, { all = false }: DeadOptions): string | null {
  if ((id === undefined) !== all) throw new UsageError(`dead ${action} needs an ID or --all${all ? ', not both' : ''}`);
  return id ?? null;
}

/** Resolves to 1 when no dead letter has this id; without an id all are meant. */
async function sort(action: DeadAction, id: string | null, options: DeadOptions): Promise<number> {
  const { queue = null, config, json = false } = options;
  const { DEAD_QUEUES, isDeadQueue, processDeadLettersOf } = await import('../app/dead-letters.js');
  if (queue !== null && !isDeadQueue(queue))
    throw new UsageError(`--queue is one of ${DEAD_QUEUES.join(', ')}, not ${queue}`);
  let found = 0;
  await processDeadLettersOf(await loadConfig(config), { action: ACTIONS[action], id, queue }, (letter) => {
    const isFirst = found++ === 0;
    print(json ? JSON.stringify(toJson(letter, action)) : toText(letter, action, isFirst));
  });
  return conclude(found, action, id, json);
}

function conclude(found: number, action: DeadAction, id: string | null, json: boolean): number {
  if (found === 0 && id !== null) {
    note(`no dead letter has the id ${id}; "hilum dead list" shows them`);
    return 1;
  }
  if (json || action === 'show') return 0;
  if (found === 0) print('no dead letters');
  else if (action === 'list')
    print(
      `${found} given up; "hilum dead show ID" tells the history, "hilum dead replay ID" tries again, "hilum dead drop ID" forgets it`,
    );
  else print(`${found} ${SAID[action]}`);
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
