/** What the demo is asked to do. */
'use strict';
const { parseArgs } = require('node:util');

const USAGE = `npm run demo [-- OPTIONS]

  --films DIR   DICOM files of your own, a file or a folder with all its folders; by default films that are drawn
  --once        stop everything after the table
  --json        the table as one JSON document on the last line
  --help        this text

Without the "--" npm takes the options for its own and hands them on; it may warn that it does not know them.
`;

const OPTIONS = {
  films: { type: 'string' },
  once: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** See options.d.cts. */
function readOptions(args, env) {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const taken = env.npm_lifecycle_event === 'demo' ? takenByNpm(env) : {};
  // npm leaves the folder behind a --films that it took for a switch.
  const films = values.films ?? (taken.films === 'true' ? positionals.shift() : taken.films);
  if (positionals.length > 0) throw explained(`unexpected: ${positionals.join(' ')}`);
  if (films === '' || (films === undefined && taken.films !== undefined)) throw explained('--films needs a folder');
  return {
    films,
    once: values.once || taken.once === 'true',
    json: values.json || taken.json === 'true',
    help: values.help,
  };
}

/** Options before a "--" are npm's: those that it does not know come as environment variables. */
function takenByNpm(env) {
  return Object.fromEntries(
    Object.keys(OPTIONS).flatMap((name) => {
      const value = env[`npm_config_${name}`];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

const explained = (message) => Object.assign(new Error(`${message}\n\n${USAGE}`), { explained: true });

/** So that npm, started on the way, does not take them for its own again. */
function withoutTaken(env) {
  const own = Object.keys(OPTIONS).map((name) => `npm_config_${name}`);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.includes(name)));
}

module.exports = { USAGE, readOptions, withoutTaken };
