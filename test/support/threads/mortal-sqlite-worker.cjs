/** The embedded database's thread, which ends over a statement whose first parameter is `end the thread`. */
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (request) => request?.parameters[0] === 'end the thread' && process.exit(3));
require('./sqlite-worker.cjs');
