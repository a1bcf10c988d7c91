import { join } from 'node:path';

/** The file of the embedded database's threads. */
export const SQLITE_WORKER_FILE = join(__dirname, 'sqlite-worker.js');
