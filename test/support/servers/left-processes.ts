import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processes that have a text in their environment, such as a folder for temporary files of their own, as "pid command":
 * whoever started them, and whether or not their parent lives. Empty on a system without /proc.
 */
export function leftProcesses(mark: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 200)}`];
      } catch {
        // It has ended meanwhile, or is somebody else's.
        return [];
      }
    });
}
