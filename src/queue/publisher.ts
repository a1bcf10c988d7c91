import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { HilumError } from '../base/errors';
import { sleep, withTimeout } from '../base/retry';
import type { ChannelKeeper } from './channel-keeper';
import type { BrokerConnection } from './connection';
import { declare, watch } from './declare';
import type { Topology } from './topology';

export interface PublishOptions {
  readonly headers?: Record<string, unknown>;
  readonly messageId?: string | undefined;
  /** Seconds since 1970; now by default. */
  readonly timestamp?: number | undefined;
  /** Fails when no queue takes the message. */
  readonly mandatory?: boolean;
}

const RESEND_PAUSE_MS = 200;

/** Publishes with confirms on a channel of its own, across reconnections. */
export class Publisher {
  private readonly keeper: ChannelKeeper<ConfirmChannel>;
  /** Correlation ids of messages that the broker could not route. */
  private readonly returned = new Set<string>();

  /** @param timeoutMs longest wait for a confirm, including a reconnection (milliseconds) */
  constructor(
    private readonly connection: BrokerConnection,
    plan: Topology,
    private readonly timeoutMs: number,
  ) {
    this.keeper = connection.keep('publisher', async (open) => {
      await declare(open, plan);
      const channel = await open.createConfirmChannel();
      watch(channel, (why) => this.keeper.lost(channel, why));
      channel.on('return', (message: ConsumeMessage) => this.returned.add(String(message.properties.correlationId)));
      return channel;
    });
  }

  /**
   * Resolves when the broker has confirmed the message.
   * @throws HilumError BROKER_UNREACHABLE when it has not in time; the message may have arrived all the same
   */
  async publish(exchange: string, routingKey: string, body: Buffer, options: PublishOptions = {}): Promise<void> {
    const deadline = Date.now() + this.timeoutMs;
    const { headers, messageId = randomUUID(), timestamp, mandatory = false } = options;
    // Unique for this call: copies of a message share its id, and one of them may be returned while another is still
    // unconfirmed.
    const correlationId = randomUUID();
    for (;;) {
      if (this.connection.state() === 'stopped')
        throw new HilumError('BROKER_UNREACHABLE', 'transient', 'disconnected from the broker on purpose');
      const channel = await this.keeper.whenOpen(deadline - Date.now());
      try {
        await withTimeout(
          confirmed(channel, exchange, routingKey, body, { headers, messageId, correlationId, timestamp, mandatory }),
          deadline - Date.now(),
          unconfirmed,
        );
        break;
      } catch (error) {
        // Nacked, or the channel closed before the confirm: published again, as a duplicate does no harm.
        if (Date.now() + RESEND_PAUSE_MS >= deadline) throw error instanceof HilumError ? error : unconfirmed(error);
        await sleep(RESEND_PAUSE_MS);
      }
    }
    // The broker sends basic.return before the confirm.
    if (this.returned.delete(correlationId))
      throw new HilumError(
        'BROKER_UNREACHABLE',
        'transient',
        `no queue takes messages for ${exchange || 'the default exchange'} ${routingKey}`,
      );
  }
}

function unconfirmed(cause?: unknown): HilumError {
  return new HilumError('BROKER_UNREACHABLE', 'transient', 'the broker did not confirm a message in time', { cause });
}

/** Persistent; resolves with the broker's confirm. Rejects on a nack or when the channel closes first. */
function confirmed(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  body: Buffer,
  options: Options.Publish,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const properties = {
      ...options,
      persistent: true,
      contentType: 'application/json',
      appId: 'hilum',
      timestamp: options.timestamp ?? Math.floor(Date.now() / 1000),
    };
    channel.publish(exchange, routingKey, body, properties, (error: unknown) =>
      error === null || error === undefined
        ? resolve()
        : reject(error instanceof Error ? error : new Error('the broker refused a message', { cause: error })),
    );
  });
}
