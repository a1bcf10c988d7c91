import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { openDatabase } from '../../src/worklist/database';
import { risTests } from '../support/suites/ris.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-ris-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;

describe('what the RIS says, on the embedded database', () => {
  risTests(async () => openDatabase(`file:${join(dir, `${count++}.db`)}`, createLog('silent')));
});
