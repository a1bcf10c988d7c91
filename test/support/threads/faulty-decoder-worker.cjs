/** A decoder thread that fails as the first byte of the file says. */
const { parentPort } = require('node:worker_threads');

const FAULTS = {
  1: () => {
    for (;;);
  },
  2: () => {
    const kept = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
  },
  3: () => process.exit(1),
  4: () => {
    throw new Error('outside of any film');
  },
  5: () =>
    parentPort.postMessage({
      kind: 'failed',
      failure: {
        kind: 'other',
        failure: { code: null, lasting: 'transient', message: 'TypeError: a slip of ours', cause: '' },
      },
    }),
};
let served = 0;
parentPort.on('message', ({ bytes }) => {
  served += 1;
  if (bytes[0] in FAULTS) FAULTS[bytes[0]]();
  else parentPort.postMessage({ kind: 'done', value: { served } });
});
parentPort.postMessage({ kind: 'ready' });
