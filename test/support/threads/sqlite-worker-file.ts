import { join } from 'node:path';

/** In the place of src/worklist/sqlite-worker-file.ts, see jest.config.js. */
export const SQLITE_WORKER_FILE = join(__dirname, 'sqlite-worker.cjs');
