import { type ChannelModel, connect as rawConnect } from 'amqplib';
import { type Broker, type BrokerOptions, connectBroker } from '../../../src/queue/broker';
import { recordingLog } from '../records/logs';
import { type Rabbit, Servers } from '../servers/servers';

/**
 * A real RabbitMQ for all tests of a file. Each test has exchanges and queues of its own: their names begin with
 * `prefix`.
 */
export class BrokerBench {
  rabbit!: Rabbit;
  /** A connection that is none of Hilum's, to look into the queues. */
  raw!: ChannelModel;
  prefix = '';
  private readonly servers = new Servers();
  private readonly brokers: Broker[] = [];
  private tests = 0;

  /** It is there in the hooks that the file has after this line, and in its tests. */
  static forTests(): BrokerBench {
    const bench = new BrokerBench();
    beforeAll(async () => void (bench.rabbit = await bench.servers.rabbit()), 120_000);
    beforeEach(() => bench.begin());
    afterEach(() => bench.end());
    afterAll(() => bench.servers.stop());
    return bench;
  }

  /** A client with short times; stopped after the test. */
  connect(options: Partial<BrokerOptions> = {}, log = recordingLog()): Broker {
    const broker = connectBroker(
      {
        url: this.rabbit.amqpUrl,
        prefix: this.prefix,
        reconnect: { baseMs: 100, maxMs: 500 },
        publishTimeoutMs: 20_000,
        pauseMs: 200,
        ...options,
      },
      log,
    );
    this.brokers.push(broker);
    return broker;
  }

  private async begin(): Promise<void> {
    this.prefix = `t${++this.tests}`;
    this.raw = await rawConnect(this.rabbit.amqpUrl);
    this.raw.on('error', () => {});
  }

  private async end(): Promise<void> {
    for (const broker of this.brokers.splice(0)) await broker.stop(1_000);
    await this.raw.close().catch(() => {});
  }
}
