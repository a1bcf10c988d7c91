/** Ends what a script has started, whatever ends the script. */
import { say } from './shell.mjs';

/** What runs, stopped last first. Ctrl-C stops it all and ends this process; a second one ends it at once. */
export function stopper() {
  const parts = [];
  let stopping;
  const all = () => (stopping ??= stopEach(parts));
  const onSignal = () => {
    if (stopping !== undefined) process.exit(130);
    say('\nstopping');
    void all().finally(() => process.exit(130));
  };
  ['SIGINT', 'SIGTERM'].forEach((signal) => process.on(signal, onSignal));
  return { add: (part) => parts.push(part), all };
}

async function stopEach(parts) {
  for (const part of parts.reverse()) await part.stop().catch((error) => say(error.message));
}
