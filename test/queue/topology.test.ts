import { delayFor, durationName, topology, waitingQueues } from '../../src/queue/topology';

test('the names that docs/events.md tells', () => {
  const plan = topology();
  expect([
    plan.study.name,
    plan.result.name,
    plan.intake.name,
    plan.urgent.name,
    plan.routine.name,
    plan.dead.name,
  ]).toEqual([
    'hilum.study',
    'hilum.result',
    'hilum.study',
    'hilum.study.urgent',
    'hilum.study.routine',
    'hilum.study.dead',
  ]);
  expect(plan.delays.map(({ name }) => name)).toEqual([
    'hilum.study.retry.5s',
    'hilum.study.retry.30s',
    'hilum.study.retry.5m',
    'hilum.study.retry.30m',
  ]);
  expect(plan.bindings).toEqual([{ queue: 'hilum.study', exchange: 'hilum.study', routingKey: 'study.stable' }]);
});

test('a delay queue expires into the intake', () => {
  expect(topology('site', [1_500]).delays).toEqual([
    {
      name: 'site.study.retry.1500ms',
      delayMs: 1_500,
      arguments: {
        'x-queue-type': 'classic',
        'x-message-ttl': 1_500,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': 'site.study',
      },
    },
  ]);
});

test('after an upgrade the intake queue keeps its arguments, and is counted among the waiting queues', () => {
  const plan = topology();
  expect(plan.intake).toEqual({ name: 'hilum.study', arguments: { 'x-queue-type': 'classic' } });
  expect(waitingQueues(plan)).toEqual([plan.intake, plan.urgent, plan.routine]);
});

test.each([
  [5_000, '5s'],
  [60_000, '1m'],
  [90_000, '90s'],
  [1_800_000, '30m'],
  [1_500, '1500ms'],
])('%d ms is called %s', (ms, name) => expect(durationName(ms)).toBe(name));

test.each([
  [0, 100],
  [100, 100],
  [101, 500],
  [500, 500],
  [10_000, 500],
])('a wait of %d ms takes the queue of %d ms', (wanted, expected) =>
  expect(delayFor(topology('x', [500, 100, 500]), wanted).delayMs).toBe(expected),
);

test('a sink has a queue of its own, bound to all results, with a single active consumer, the delays of studies and a dead queue', () => {
  const { sinks, bindings } = topology('site', [1_500], ['hl7']);
  expect(
    sinks.map(({ sink, queue, delays, dead }) => [
      sink,
      queue,
      delays.map(({ name, arguments: { 'x-dead-letter-routing-key': back } }) => [name, back]),
      dead.name,
    ]),
  ).toEqual([
    [
      'hl7',
      { name: 'site.result.hl7', arguments: { 'x-queue-type': 'classic', 'x-single-active-consumer': true } },
      [['site.result.hl7.retry.1500ms', 'site.result.hl7']],
      'site.result.hl7.dead',
    ],
  ]);
  expect(bindings[1]).toEqual({ queue: 'site.result.hl7', exchange: 'site.result', routingKey: 'result.#' });
});
