/**
 * The analysis thread as the tests run it: src/app/analysis-worker.ts itself, not a build that may be out of date, and
 * with the decoder thread of the tests.
 */
const { join } = require('node:path');
const threads = require('node:worker_threads');

threads.Worker = class extends threads.Worker {
  constructor(file, options) {
    super(file.endsWith('decoder-worker.js') ? join(__dirname, 'decoder-worker.cjs') : file, options);
  }
};
require('../../../scripts/lib/typescript.cjs');
require('../../../src/app/analysis-worker.ts');
