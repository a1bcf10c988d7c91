import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { openDatabase } from '../../src/worklist/database';
import { retentionTests } from '../support/suites/retention.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-retention-'));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
retentionTests(() => Promise.resolve(openDatabase(`file:${join(dir, `${count++}.db`)}`, createLog('silent'))));
