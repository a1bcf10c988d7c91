/**
 * The delivery of results by HL7 as a process of its own, from the build: what app.ts puts together, with a record that
 * is given.
 *
 *     node delivery_worker.cjs SETTINGS
 *
 * SETTINGS is JSON: amqpUrl, port (of the MLLP receiver), record, hl7 (its configuration), stall: true stops between
 * delivery and acknowledgement for ever.
 */
const { createLog } = require('../../../dist/base/log');
const { connectBroker } = require('../../../dist/queue/broker');
const { mllpClient } = require('../../../dist/hl7/mllp');
const { hl7Sink } = require('../../../dist/sinks/hl7/sink');
const { createRunner } = require('../../../dist/sinks/runner');

const { amqpUrl, port, record, hl7, stall } = JSON.parse(process.argv[2]);
const sink = hl7Sink(mllpClient({ ...hl7, host: '127.0.0.1', port, tls: undefined }), hl7);
const broker = connectBroker({ url: amqpUrl, sinks: ['hl7'], retryDelaysMs: [300] }, createLog('silent'));
const deliver = async (found) => {
  await sink.deliver(found);
  process.stdout.write('delivered\n');
  if (stall) await new Promise(() => {});
};
void broker.consumeSink(
  'hl7',
  createRunner({
    sink: { ...sink, deliver },
    loadRecord: () => Promise.resolve(record),
    retry: { delaysMs: [300], limit: 8 },
    log: createLog('silent'),
  }),
);
