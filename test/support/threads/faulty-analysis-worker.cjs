/** An analysis thread that does what the first byte of the file says; 0 is answered with what came. */
const { parentPort, threadId, workerData } = require('node:worker_threads');

const failure = { code: 'MODEL_INVALID', lasting: 'permanent', message: 'no such network', cause: '' };
const waiting = [];
const done = (id, task) => {
  const { bytes, study } = task;
  const result = { thread: threadId, study, isShared: bytes.buffer instanceof SharedArrayBuffer, first: bytes[1] };
  parentPort.postMessage({ kind: 'done', id, work: { result, objects: [] } });
};
const FAULTS = {
  0: done,
  1: () => process.exit(3),
  2: () => {
    throw new Error('outside of any film');
  },
  3: (id) => parentPort.postMessage({ kind: 'failed', id, failure: { ...failure, code: 'ENCODE_FAILED' } }),
  4: (id, task) => {
    parentPort.postMessage({ kind: 'stage', id, stage: 'infer', seconds: 0.5 });
    parentPort.postMessage({ kind: 'measured', id, measures: { probability: 0.25 } });
    parentPort.postMessage({ kind: 'warned', fields: { event: 'decoder.lost' }, text: 'a film ended the thread' });
    done(id, task);
  },
  // Answered with the next film that is.
  5: (id, task) => waiting.push(() => done(id, task)),
  6: (id, task) => {
    for (const answer of waiting.splice(0)) answer();
    done(id, task);
  },
};
if (workerData.unusable) parentPort.postMessage({ kind: 'unusable', failure });
else if (workerData.ends) process.exit(1);
else {
  parentPort.on('message', ({ id, task }) => FAULTS[task.bytes[0]](id, task));
  parentPort.postMessage({ kind: 'ready', description: { as: workerData.as } });
}
