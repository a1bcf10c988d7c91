/** Ends what a script has started, whatever ends the script. */
import { say } from './shell.mjs';

/**
 * What runs, stopped last first. Ctrl-C stops it all and ends this process; once somebody waits for `asked`, it
 * resolves that instead.
 */
export function stopper() {
  const parts = [];
  let stopping;
  const all = () => (stopping ??= stopEach(parts));
  let waiting = false;
  let tell;
  const asked = new Promise((resolve) => (tell = resolve));
  const onSignal = () => {
    if (waiting) return tell();
    say('\nstopping');
    void all().finally(() => process.exit(130));
  };
  ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, onSignal));
  return {
    add: (part) => parts.push(part),
    all,
    get asked() {
      waiting = true;
      return asked;
    },
  };
}

async function stopEach(parts) {
  for (const part of parts.reverse()) await part.stop().catch((error) => say(error.message));
}
