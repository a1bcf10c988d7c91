/**
 * A process that writes to a list's database until it is killed: `node list-writer.cjs URL NAME`. It says each study
 * that was confirmed, on a line.
 */
const { join } = require('node:path');
require('../../../scripts/lib/typescript.cjs');
const { openDatabase } = require('../../../src/worklist/database.ts');
const { Worklist } = require('../../../src/worklist/worklist.ts');
const { deriveUid } = require('../../../src/dicom/uid.ts');

const [url, name] = process.argv.slice(2);
const log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {}, child: () => log };

async function main() {
  const database = openDatabase(url, log, undefined, join(__dirname, 'sqlite-worker.cjs'));
  await database.ready();
  process.stdout.write('ready\n');
  const list = new Worklist(database);
  for (let i = 0; ; i++) {
    const study = deriveUid(['study', name, i]);
    await list.advance(study, { kind: 'waiting', priority: 'routine' });
    process.stdout.write(`${study}\n`);
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
