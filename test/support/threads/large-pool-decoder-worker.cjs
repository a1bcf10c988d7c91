/** The decoder thread with a buffer pool larger than that of any Node so far. */
Buffer.poolSize = 1 << 20;
require('./decoder-worker.cjs');
