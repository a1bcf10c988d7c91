import { createLog } from '../base/log';
import { type Broker, type BrokerOptions, connectBroker } from '../queue/broker';

/** How long a command waits for the broker (milliseconds). */
const BROKER_WAIT_MS = 10_000;

/**
 * Connects to the broker, does the work and disconnects.
 * @throws HilumError BROKER_UNREACHABLE or CONFIG_INVALID when there is no connection in time, and whatever `work`
 * throws
 */
export async function withBroker<T>(options: BrokerOptions, work: (broker: Broker) => Promise<T>): Promise<T> {
  const broker = connectBroker(options, createLog('silent'));
  try {
    await broker.ready(BROKER_WAIT_MS);
    return await work(broker);
  } finally {
    await broker.stop(0);
  }
}
