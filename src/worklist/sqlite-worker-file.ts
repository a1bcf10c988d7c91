import { join } from 'node:path';

/** Script of the embedded database's threads. */
export const SQLITE_WORKER_FILE = join(__dirname, 'sqlite-worker.js');
