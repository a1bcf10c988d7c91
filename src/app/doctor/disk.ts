import { tmpdir } from 'node:os';
import type { CheckResult } from '../../base/check-result';
import { freeBytes } from '../../base/disk';
import type { Config } from '../../config/config';

const LEAST_FREE_BYTES = 1024 ** 3;

/** Where the service keeps what it must remember, and where it puts what is in passing. */
export async function examineDisk({ state }: Config): Promise<CheckResult[]> {
  const folders = [...new Set([state.dir, tmpdir()])];
  return Promise.all(
    folders.map(async (folder) => {
      const free = await freeBytes(folder);
      const ok = free >= LEAST_FREE_BYTES;
      const text = `${(free / 1e9).toFixed(1)} GB free in ${folder}`;
      return { check: 'disk', ok, text: ok ? text : `${text}: make room, less than 1 GB is too little` };
    }),
  );
}
