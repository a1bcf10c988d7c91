import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import type { Config } from '../../config/config';
import type { Broker } from '../../queue/broker';
import { withBroker } from '../broker';
import { sinkQueuesOf } from '../deliveries';

/**
 * Connecting declares the topology, so missing configure rights and existing queues with other arguments show at once.
 */
export async function examineBroker(config: Config): Promise<CheckResult[]> {
  try {
    return await withBroker({ ...config.broker, ...sinkQueuesOf(config) }, async (broker) => [
      { check: 'broker', ok: true, text: 'connected and signed in' },
      ...(await examineStudyQueues(broker)),
      ...(await examineSinkQueues(broker)),
    ]);
  } catch (error) {
    return [
      {
        check: 'broker',
        ok: false,
        text: `${describeError(error)}: check broker.url, the account and its rights to configure, write and read`,
      },
    ];
  }
}

async function examineStudyQueues(broker: Broker): Promise<CheckResult[]> {
  const dead = await broker.depth(broker.topology.dead.name);
  const waiting = await broker.depth();
  return [
    { check: 'broker: topology', ok: true, text: `all exchanges and queues are there; ${waiting} studies wait` },
    {
      check: 'broker: dead letters',
      ok: dead === 0,
      text:
        dead === 0
          ? 'none'
          : `${dead} studies were given up on: "hilum dead list" tells which and why, "hilum dead replay" tries again once the cause is mended`,
    },
  ];
}

/** Reports dead letters of each sink, and queues that fill because nobody consumes them. */
async function examineSinkQueues(broker: Broker): Promise<CheckResult[]> {
  const check = (sink: string) => `deliveries: ${sink}`;
  const on = (await broker.sinkDepths()).map(({ sink, waiting, retry, dead }): CheckResult => {
    const text = `${waiting} results wait, ${retry} for another try`;
    return {
      check: check(sink),
      ok: dead === 0,
      text:
        dead === 0
          ? text
          : `${text}; ${dead} were given up: "hilum dead list --queue ${sink}" tells why, "hilum dead replay" tries again once the cause is mended`,
    };
  });
  const off = (await broker.unreadSinks()).filter(({ consumers }) => consumers === 0);
  return [
    ...on,
    ...off.map(({ queues: { sink, queue }, messages }): CheckResult => ({
      check: check(sink),
      ok: false,
      text: `switched off, but its queue ${queue.name} is still there with ${messages} results and gathers more, which nobody reads: switch it on again, or delete the queue in RabbitMQ`,
    })),
  ];
}
