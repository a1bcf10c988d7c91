import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { openDirectory } from '../app/access';
import { createLog } from '../base/log';
import { readConfig } from '../config/config';

export interface UsersOptions {
  readonly action: 'list' | 'add' | 'passwd' | 'role' | 'remove';
  /** Name of the account; empty with list. */
  readonly target: string;
  readonly roles: readonly string[];
  readonly name: string | undefined;
  readonly config: string;
  readonly json: boolean;
}

type Opened = ReturnType<typeof openDirectory>;

/** Who works at the command line, for the audit trail. */
export function operator() {
  const { username } = userInfo();
  return { id: `command-line:${username}`, name: username, roles: [], address: undefined };
}

/**
 * Accounts of Hilum, for who runs the machine. Resolves to 1 with the reason on standard error when something can't be
 * done.
 */
export async function users(options: UsersOptions): Promise<number> {
  const opened = openDirectory(readConfig(options.config), createLog('silent'));
  try {
    if (options.action === 'list') return await list(opened, options.json);
    const problem = await apply(opened, options);
    if (problem === null)
      await opened.recorder.record(operator(), {
        kind: 'account',
        what: SAID[options.action](options),
        account: options.target.toLowerCase(),
        isRoleChange: options.action !== 'passwd',
      });
    process[problem === null ? 'stdout' : 'stderr'].write(
      problem === null ? `${SAID[options.action](options)}\n` : `hilum: ${problem}\n`,
    );
    return problem === null ? 0 : 1;
  } finally {
    await opened.close();
  }
}

const SAID: Readonly<Record<Exclude<UsersOptions['action'], 'list'>, (options: UsersOptions) => string>> = {
  add: ({ target, roles }) => `account ${target} made with the roles ${roles.join(', ')}`,
  passwd: ({ target }) => `password of ${target} set, its sessions ended`,
  role: ({ target, roles }) => `roles of ${target} are now ${roles.join(', ')}`,
  remove: ({ target }) => `account ${target} removed, its sessions ended`,
};

async function list({ directory }: Opened, json: boolean): Promise<number> {
  for (const { username, displayName, roles } of await directory.list())
    process.stdout.write(
      json
        ? `${JSON.stringify({ username, displayName, roles })}\n`
        : `${username.padEnd(24)}  ${roles.join(',').padEnd(28)}  ${displayName}\n`,
    );
  return 0;
}

async function apply(
  { directory }: Opened,
  { action, target, roles, name = '' }: UsersOptions,
): Promise<string | null> {
  switch (action) {
    case 'add':
      return directory.add({ username: target, displayName: name, password: await askPassword(), roles });
    case 'passwd':
      return directory.setPassword(target, await askPassword());
    case 'role':
      return directory.setRoles(target, roles);
    case 'remove':
      return directory.remove(target);
    case 'list':
      return null;
  }
}

/**
 * The first line of standard input; at a terminal it is asked for and not shown. Never an argument: those are in the
 * list of processes and in the shell's history.
 */
async function askPassword(): Promise<string> {
  const isTerminal = process.stdin.isTTY;
  if (isTerminal) process.stderr.write('Password: ');
  const lines = createInterface({
    input: process.stdin,
    terminal: isTerminal,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
}
