/**
 * The listener for messages of the RIS as a process of its own: what app/ris.ts puts together, without audit trail.
 *
 *     node ris-listener.cjs SETTINGS
 *
 * SETTINGS is JSON: url (of the database), stall: true stops between the commit and the acknowledgement for ever. It
 * says its port and each commit on a line.
 */
const { join } = require('node:path');
require('../../../scripts/lib/typescript.cjs');
const { createLog } = require('../../../src/base/log.ts');
const { listenMllp } = require('../../../src/hl7/listener.ts');
const { risSchema } = require('../../../src/ris/config.ts');
const { createReceiver } = require('../../../src/ris/receiver.ts');
const { openDatabase } = require('../../../src/worklist/database.ts');
const { risStore } = require('../../../src/worklist/ris-store.ts');

const { url, stall } = JSON.parse(process.argv[2]);
const say = (text) => process.stdout.write(`${text}\n`);

async function main() {
  const log = createLog('silent');
  const database = openDatabase(url, log, undefined, join(__dirname, 'sqlite-worker.cjs'));
  const inner = risStore({ database, onChange: () => Promise.resolve() });
  const store = {
    async take(message, sender) {
      const taken = await inner.take(message, sender);
      say(`committed ${taken}`);
      if (stall) await new Promise(() => {});
      return taken;
    },
  };
  const config = risSchema.parse({});
  const observer = { risMessage: () => {} };
  const handle = createReceiver({ store, config, timeZone: 'UTC', ownApplications: [], log, observer });
  const options = { ...config.listener, port: 0, isAllowed: () => true };
  const { port } = await listenMllp(options, handle, (problem) => say(`problem ${problem}`));
  say(`port ${port}`);
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
