import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { openDatabase } from '../../src/worklist/database';
import { workStateTests } from '../support/suites/work-state.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-work-'));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
workStateTests(
  () => Promise.resolve(`file:${join(dir, `${count++}.db`)}`),
  (url, migrations) => openDatabase(url, createLog('silent'), migrations),
);
