import { createApp } from './app/app';
import { warnOfOldNode } from './app/installed';
import { createLog, type Log } from './base/log';
import { type Config, readConfig } from './config/config';

/** For what still runs when all is closed (milliseconds). */
const LAST_MS = 500;

/**
 * The service: runs until SIGTERM or SIGINT, then finishes the film in hand and returns its study. Resolves to the exit
 * status. A start that fails has closed what it opened when this rejects, and the process ends.
 */
export async function serve(configPath: string): Promise<number> {
  const config = readConfig(configPath);
  const log = createLog(config.log.level);
  log.info({ event: 'service.starting', config: configPath, roles: config.roles }, 'starting');
  warnOfOldNode(log);
  try {
    return await run(config, log);
  } finally {
    // A film that took too long is still worked on: its study is with the broker again, and with everything closed
    // nothing can come of it here. The status is the command's.
    setTimeout(() => process.exit(), LAST_MS).unref();
  }
}

/** A signal ends a start that is under way, too. */
async function run(config: Config, log: Log): Promise<number> {
  const app = await createApp(config, log);
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  const signal = await Promise.race([asked, app.start().then(() => asked)]);
  log.info({ event: 'service.stopping', signal }, 'asked to stop');
  await app.stop();
  return 0;
}
