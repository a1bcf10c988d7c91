import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What is free for us in the file system of a folder (bytes); of one that is yet to be made, where it will be. */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    return freeBytes(dirname(folder));
  }
}

/** Null when each folder has at least `leastBytes` free, else one plain sentence. */
export async function diskProblem(
  folders: readonly string[],
  leastBytes: number,
  look: (folder: string) => Promise<number> = freeBytes,
): Promise<string | null> {
  const problems = await Promise.all(
    folders.map(async (folder) => {
      const free = await look(folder).catch(() => null);
      if (free === null) return `the folder ${folder} can't be looked at`;
      return free < leastBytes
        ? `${Math.floor(free / 1e6)} MB free in ${folder}, less than ${Math.floor(leastBytes / 1e6)} MB`
        : null;
    }),
  );
  return problems.find((problem) => problem !== null) ?? null;
}
