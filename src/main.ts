import { createApp } from './app/app';
import { warnOfOldNode } from './app/installed';
import { createLog, type Log } from './base/log';
import { type Config, readConfig } from './config/config';

/** Wait at exit for what still runs after everything is closed (milliseconds). */
const LAST_MS = 500;

/**
 * Runs the service until SIGTERM or SIGINT, then finishes the film in work and returns its study to the queue. Resolves
 * to the exit status. If the start fails, it closes what it has opened and rejects.
 */
export async function serve(configPath: string): Promise<number> {
  const config = readConfig(configPath);
  const log = createLog(config.log.level);
  log.info({ event: 'service.starting', config: configPath, roles: config.roles }, 'starting');
  warnOfOldNode(log);
  try {
    return await run(config, log);
  } finally {
    // A film that took too long may still be in work. Its study is back in the queue, and with everything closed its
    // result is lost anyway, so the process exits with the command's status.
    setTimeout(() => process.exit(), LAST_MS).unref();
  }
}

/** A signal also ends a start that is under way. */
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
