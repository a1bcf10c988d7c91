/**
 * A process that logs far more than anybody reads, says on its standard output that its event loop went on, and ends at
 * SIGTERM as it should.
 */
require('../../../scripts/lib/typescript.cjs');
const { createLog } = require('../../../src/base/log.ts');

const log = createLog('info');
process.once('SIGTERM', () => {
  process.stdout.write('asked to stop\n');
  setTimeout(() => process.exit(0), 100);
});
let rounds = 0;
setInterval(() => {
  for (let i = 0; i < 500; i++) log.info({ event: 'study.done', text: 'x'.repeat(1_000) }, 'study done');
  rounds += 1;
  if (rounds === 6) process.stdout.write('went on\n');
}, 5);
