/**
 * The TensorFlow.js thread as the tests run it: src/model/tfjs-worker.ts itself, without any way to a network, and it
 * ends over a film that begins with NaN.
 */
const { parentPort } = require('node:worker_threads');
const forbidden = () => {
  throw new Error('the engine asked for the network');
};
require('node:net').Socket.prototype.connect = forbidden;
require('node:dns').lookup = forbidden;
globalThis.fetch = forbidden;
parentPort.on('message', (input) => Number.isNaN(input[0]) && process.exit(3));
require('../../../scripts/lib/typescript.cjs');
require('../../../src/model/tfjs-worker.ts');
