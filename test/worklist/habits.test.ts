import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { openDatabase } from '../../src/worklist/database';
import { habitTests } from '../support/suites/habits.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-habits-'));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
habitTests(() => Promise.resolve(openDatabase(`file:${join(dir, `${count++}.db`)}`, createLog('silent'))));
