import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { openDatabase } from '../../src/worklist/database';
import { turnaroundTests } from '../support/suites/turnaround.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-turnaround-'));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
turnaroundTests(
  () => Promise.resolve(`file:${join(dir, `${count++}.db`)}`),
  (url, migrations) => openDatabase(url, createLog('silent'), migrations),
);
