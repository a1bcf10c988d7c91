/** What a chaos run can be asked for. */
import { parseArgs } from 'node:util';
import { Explained } from '../../lib/shell.mjs';

export const USAGE = `npm run chaos [-- OPTIONS]

A real Orthanc, a real RabbitMQ and some workers of Hilum; drawn studies are sent while a plan kills one of them
(SIGKILL) every few seconds and starts it again; then quiet. The archive's own list tells what became of each film.
Status 0: nothing lost, nothing doubled, no dead letter.

  --studies N             studies to send (200); about a quarter has two films, some are STAT
  --workers N             processes of the service (2); the first one runs the catch-up
  --seed N                what is sent and killed follows from it (1)
  --kill-every SECONDS    mean time of work between two kills (5); a quarter of them does not wait until all is back;
                          0: none
  --no-events             without Orthanc's plug-in: all is stored before the workers start, and the catch-up finds it
  --catch-up KIND         orthanc or dicomweb (dicomweb)
  --dicomweb-only         a proxy between workers and Orthanc lets only QIDO-RS, WADO-RS and STOW-RS through; no
                          plug-in, the search is the only trigger
  --threads N             threads per model in each worker; 0 is one per core (1)
  --time-limit SECONDS    give up after this time (1800)
  --json                  the result as one JSON object on the last line
  --keep                  keep the folder with all logs and data; after a failure it is kept anyway
`;

const OPTIONS = /** @type {const} */ ({
  studies: { type: 'string', default: '200' },
  workers: { type: 'string', default: '2' },
  seed: { type: 'string', default: '1' },
  'kill-every': { type: 'string', default: '5' },
  'no-events': { type: 'boolean', default: false },
  'catch-up': { type: 'string', default: 'dicomweb' },
  'dicomweb-only': { type: 'boolean', default: false },
  threads: { type: 'string', default: '1' },
  'time-limit': { type: 'string', default: '1800' },
  json: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
});

/** @throws Explained for what can't be meant. */
export function readOptions(args = process.argv.slice(2)) {
  const values = parse(args);
  const dicomwebOnly = values['dicomweb-only'];
  if (!['orthanc', 'dicomweb'].includes(String(values['catch-up'])))
    throw new Explained('--catch-up is orthanc or dicomweb');
  if (dicomwebOnly && values['catch-up'] === 'orthanc')
    throw new Explained("--catch-up orthanc needs Orthanc's own API, which --dicomweb-only shuts off");
  return {
    studies: whole(values, 'studies', 1),
    workers: whole(values, 'workers', 1),
    seed: whole(values, 'seed', 0),
    killEvery: number(values, 'kill-every', 0),
    storeFirst: values['no-events'],
    events: !values['no-events'] && !dicomwebOnly,
    catchUp: values['catch-up'],
    dicomwebOnly,
    threads: whole(values, 'threads', 0),
    timeLimitMs: 1000 * number(values, 'time-limit', 1),
    json: values.json,
    keep: values.keep,
    help: values.help,
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw new Explained(`${error.message}\n\n${USAGE}`);
  }
}

function number(values, name, least) {
  const value = Number(values[name]);
  if (!(values[name].trim() !== '' && Number.isFinite(value) && value >= least))
    throw new Explained(`--${name} is a number, at least ${least}`);
  return value;
}

function whole(values, name, least) {
  const value = number(values, name, least);
  if (!Number.isInteger(value)) throw new Explained(`--${name} is a whole number`);
  return value;
}
