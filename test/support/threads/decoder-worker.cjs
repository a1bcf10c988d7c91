/**
 * The decoder thread as the tests run it: src/pipeline/decoder-worker.ts itself, so that no build that is out of date
 * is tested.
 */
require('../../../scripts/lib/typescript.cjs');
require('../../../src/pipeline/decoder-worker.ts');
