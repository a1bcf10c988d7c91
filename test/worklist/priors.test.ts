import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/base/log';
import { openDatabase } from '../../src/worklist/database';
import { priorTests } from '../support/suites/priors.suite';

const dirs: string[] = [];
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

describe('earlier studies of a patient, in a file', () => {
  priorTests(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hilum-priors-'));
    dirs.push(dir);
    return Promise.resolve(openDatabase(`file:${join(dir, 'list.db')}`, createLog('silent')));
  });
});
