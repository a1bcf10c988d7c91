import { ExportResultCode } from '@opentelemetry/core';
import type { Channel, ConsumeMessage } from 'amqplib';
import { inSpan, traceIds, useTracer } from '../../src/base/trace';
import {
  consumedMessage,
  freshHeaders,
  handle,
  type MessageContext,
  type MessageHeaders,
} from '../../src/queue/message';
import { topology } from '../../src/queue/topology';
import { otelTracer } from '../../src/tracing/tracer';
import { recordingLog } from '../support/records/logs';

const PLUGIN = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const channel = { ack: () => {}, nack: () => {} } as unknown as Channel;
const message = (headers: MessageHeaders) =>
  ({
    content: Buffer.from('{}'),
    fields: { redelivered: false, routingKey: 'hilum.study.urgent' },
    properties: { headers, messageId: 'm' },
  }) as unknown as ConsumeMessage;

let stop: () => Promise<void>;

beforeEach(() => {
  const tracer = otelTracer({
    exporter: { export: (_spans, done) => done({ code: ExportResultCode.SUCCESS }), shutdown: async () => {} },
    sampleRatio: 1,
    resource: { own: {}, byDefault: {} },
    timeoutMs: 1_000,
  });
  const unset = useTracer(tracer);
  stop = async () => {
    unset();
    await tracer.close();
  };
});

afterEach(() => stop());

/** The headers of what each way of settling moves on, and the trace that the handler saw. */
async function moved(headers: MessageHeaders, act: 'retry' | 'deadLetter' | 'requeue' | 'continueLater') {
  let sent: MessageHeaders = {};
  let seen = '';
  const context: MessageContext = {
    lane: topology('hilum', [1_000]),
    log: recordingLog(),
    send: async (_queue, _body, properties) => void (sent = properties.headers),
    pauseMs: 1,
    stopping: new AbortController().signal,
  };
  const inHand = consumedMessage(channel, message(headers), 'hilum.study.urgent', context);
  const acts = {
    retry: () => inHand.retry(1_000, 'ARCHIVE_TIMEOUT'),
    deadLetter: () => inHand.deadLetter('NOT_FOUND'),
    requeue: () => inHand.requeue(0),
    continueLater: () => inHand.continueLater(),
  };
  await handle(
    inHand,
    () => {
      seen = traceIds()!.trace_id;
      return acts[act]();
    },
    context,
  );
  return { sent, seen };
}

const WAYS = ['retry', 'deadLetter', 'requeue', 'continueLater'] as const;

test.each(WAYS)('%s: a message keeps the trace that it came with, and its work is part of that', async (act) => {
  const { sent, seen } = await moved({ traceparent: PLUGIN, tracestate: 'a=b', baggage: 'name=Doe' }, act);
  expect(sent).toMatchObject({ traceparent: PLUGIN, tracestate: 'a=b' });
  expect(sent).not.toHaveProperty('baggage');
  expect(seen).toBe('a'.repeat(32));
});

test.each(WAYS)('%s: one that came without a trace goes on in the one that was begun over it', async (act) => {
  const { sent, seen } = await moved({}, act);
  expect(sent['traceparent']).toMatch(new RegExp(`^00-${seen}-[0-9a-f]{16}-01$`));
});

test('a process without tracing passes on what came', async () => {
  await stop();
  stop = async () => {};
  const context = { lane: topology('hilum', [1_000]), log: recordingLog(), pauseMs: 1 };
  let sent: MessageHeaders = {};
  const send: MessageContext['send'] = async (_queue, _body, { headers }) => void (sent = headers);
  const stopping = new AbortController().signal;
  await consumedMessage(channel, message({ traceparent: PLUGIN }), 'q', { ...context, send, stopping }).retry(1, 'X');
  expect(sent['traceparent']).toBe(PLUGIN);
  expect(await inSpan({ name: 'step' }, async () => traceIds())).toBeUndefined();
});

test('a dead letter that is replayed goes on in its trace', () => {
  expect(freshHeaders({ traceparent: PLUGIN, 'x-hilum-attempt': 3 })).toMatchObject({
    traceparent: PLUGIN,
    'x-hilum-attempt': 0,
  });
});
