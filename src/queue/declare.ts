import type { Channel, ChannelModel } from 'amqplib';
import { HilumError } from '../base/errors';
import { allQueues, type Binding, type Exchange, type Queue, type Topology } from './topology';

/**
 * Declares all exchanges, queues and bindings; existing ones with the same arguments stay.
 * @throws HilumError CONFIG_INVALID when one exists with other arguments (406 PRECONDITION_FAILED)
 */
export async function declare(connection: ChannelModel, plan: Topology): Promise<void> {
  const exchanges = [plan.study, plan.result, plan.progress.exchange];
  await assert(connection, plan, { exchanges, queues: allQueues(plan), bindings: plan.bindings });
}

/** Call it after `declare`. @throws HilumError CONFIG_INVALID as there */
export async function declareProgressQueue(connection: ChannelModel, plan: Topology): Promise<void> {
  const { queue, binding } = plan.progress;
  await assert(connection, plan, { exchanges: [], queues: [queue], bindings: [binding] });
}

interface Declared {
  readonly exchanges: readonly Exchange[];
  readonly queues: readonly Queue[];
  readonly bindings: readonly Binding[];
}

async function assert(
  connection: ChannelModel,
  plan: Topology,
  { exchanges, queues, bindings }: Declared,
): Promise<void> {
  try {
    await onOwnChannel(connection, async (channel) => {
      for (const { name, type } of exchanges) await channel.assertExchange(name, type, { durable: true });
      for (const { name, arguments: args } of queues)
        await channel.assertQueue(name, { durable: true, arguments: args });
      for (const { queue, exchange, routingKey } of bindings) await channel.bindQueue(queue, exchange, routingKey);
    });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 406)) throw cause;
    throw new HilumError(
      'CONFIG_INVALID',
      'permanent',
      `the broker has an exchange or queue named ${plan.study.name}... with other arguments: delete it there, or set another broker.prefix`,
      { cause },
    );
  }
}

/** On a channel of its own, as the broker closes the channel of a refused operation. */
export async function onOwnChannel<T>(connection: ChannelModel, use: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  try {
    return await use(channel);
  } finally {
    await channel.close().catch(() => {});
  }
}

/**
 * Calls `lost` when the channel closes. Without an 'error' listener a channel that the broker closes would end the
 * process.
 */
export function watch(channel: Channel, lost: (why: unknown) => void): void {
  let why: unknown = new Error('the channel closed');
  channel.on('error', (error: unknown) => (why = error));
  channel.once('close', () => lost(why));
}
