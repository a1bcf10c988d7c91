import { userInfo } from 'node:os';
import type { openDirectory, RecordChange } from '../app/access';
import { loadConfig, note } from './command';

export type OpenedDirectory = ReturnType<typeof openDirectory>;

/** Accounts and API tokens as configured, for one piece of work. */
export async function withDirectory<T>(configPath: string, work: (opened: OpenedDirectory) => Promise<T>): Promise<T> {
  const config = await loadConfig(configPath);
  const { openDirectory } = await import('../app/access.js');
  const opened = openDirectory(config);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/** Puts changes of accounts and tokens into the audit trail, as made by who runs the command. */
export function recordBy({ recorder }: OpenedDirectory): RecordChange {
  return (change) => recorder.record(operator(), { kind: 'account', ...change });
}

/** Tells why something can't be done; the exit status is 1. */
export function refuse(problem: string): number {
  note(problem);
  return 1;
}

/** Who works at the command line, for the audit trail. */
export function operator() {
  const { username } = userInfo();
  return { id: `command-line:${username}`, name: username, roles: [], address: undefined };
}

export function parseRoles(text: string): string[] {
  return text
    .split(',')
    .map((role) => role.trim())
    .filter(Boolean);
}
