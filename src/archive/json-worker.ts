import { parentPort, workerData } from 'node:worker_threads';
import { type JsonRequest, keepTags, parseJson } from './json-parse';

const { bytes, tags } = workerData as JsonRequest;
const reply = parseJson(bytes);
parentPort?.postMessage(reply.kind === 'rows' ? { ...reply, rows: keepTags(reply.rows, tags) } : reply);
