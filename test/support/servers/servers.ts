import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Orthanc,
  type OrthancOptions,
  type Rabbit,
  type RabbitOptions,
  startOrthanc,
  startRabbit,
} from '../../../scripts/lib/servers.cjs';
import { Postgres } from './postgres';

export type { Orthanc, Rabbit } from '../../../scripts/lib/servers.cjs';

/** Real servers for one test file, each in a new folder that goes with it. Call `stop` in afterAll. */
export class Servers {
  private readonly started: { server: { stop(): Promise<void> }; dir: string }[] = [];

  rabbit(options: Omit<RabbitOptions, 'dir'> = {}): Promise<Rabbit> {
    return this.start('rabbit', (dir) => startRabbit({ ...options, dir }));
  }

  orthanc(options: Omit<OrthancOptions, 'dir'> = {}): Promise<Orthanc> {
    return this.start('orthanc', (dir) => startOrthanc({ ...options, dir }));
  }

  postgres(): Promise<Postgres> {
    return this.start('postgres', (dir) => Postgres.start(dir));
  }

  private async start<T extends { stop(): Promise<void> }>(
    name: string,
    start: (dir: string) => Promise<T>,
  ): Promise<T> {
    const dir = mkdtempSync(join(tmpdir(), `hilum-test-${name}-`));
    const server = await start(dir);
    this.started.push({ server, dir });
    return server;
  }

  async stop(): Promise<void> {
    for (const { server, dir } of this.started.splice(0)) {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  }
}

/**
 * Resolves when `look` gives something other than undefined or false. @throws Error naming `what` after `timeoutMs`
 * milliseconds; a function is asked then, and can tell what there is at the end.
 */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end)
      throw new Error(`not within ${timeoutMs / 1000} s: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
