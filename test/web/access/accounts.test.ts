import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../../src/base/log';
import { openDatabase } from '../../../src/worklist/database';
import { accountTests } from '../../support/suites/accounts.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-accounts-'));
let count = 0;
afterAll(() => rmSync(dir, { recursive: true, force: true }));

accountTests(() => Promise.resolve(openDatabase(`file:${join(dir, `${count++}.db`)}`, createLog('silent'))));
