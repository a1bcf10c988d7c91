/**
 * The embedded database's thread as the tests run it: src/worklist/sqlite-worker.ts itself, so that no build that is
 * out of date is tested.
 */
require('../../../scripts/lib/typescript.cjs');
require('../../../src/worklist/sqlite-worker.ts');
