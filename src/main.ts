import { createApp } from './app/app';
import { warnOfOldNode } from './app/installed';
import { createLog } from './base/log';
import { readConfig } from './config/config';

/** For what still runs when all is closed (milliseconds). */
const LAST_MS = 500;

/**
 * The service: runs until SIGTERM or SIGINT, then finishes the film in hand and returns its study. Resolves to the exit
 * status.
 */
export async function serve(configPath: string): Promise<number> {
  const config = readConfig(configPath);
  const log = createLog(config.log.level);
  log.info({ event: 'service.starting', config: configPath, roles: config.roles }, 'starting');
  warnOfOldNode(log);
  const app = await createApp(config, log);
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  await app.start();
  const signal = await asked;
  log.info({ event: 'service.stopping', signal }, 'asked to stop');
  await app.stop();
  // A film that took too long is still worked on: its study is with the broker again, and with everything closed
  // nothing can come of it here.
  setTimeout(() => process.exit(0), LAST_MS).unref();
  return 0;
}
