import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listQueryTests } from '../support/suites/list-queries.suite';

const dir = mkdtempSync(join(tmpdir(), 'hilum-list-queries-'));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
listQueryTests(() => Promise.resolve(`file:${join(dir, `${count++}.db`)}`));
