import type { openDirectory } from '../app/access';
import { loadConfig, note } from './command';

export type OpenedDirectory = ReturnType<typeof openDirectory>;

/** Opens accounts and API tokens as configured, does the work and closes them. */
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

/** Prints why something can't be done; the exit status is 1. */
export function refuse(problem: string): number {
  note(problem);
  return 1;
}

export function parseRoles(text: string): string[] {
  return text
    .split(',')
    .map((role) => role.trim())
    .filter(Boolean);
}
