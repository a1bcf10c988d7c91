/**
 * The thread for large answers as the tests run it: src/archive/json-worker.ts itself, so that no build that is out of
 * date is tested.
 */
require('../../../scripts/lib/typescript.cjs');
require('../../../src/archive/json-worker.ts');
