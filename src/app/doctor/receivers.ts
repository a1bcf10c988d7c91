import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import type { Config } from '../../config/config';
import type { Sink } from '../../sinks/sink';
import { openSinks } from '../deliveries';

/** Connects to each system that results are delivered to; nothing is delivered. */
export async function examineReceivers(config: Config): Promise<CheckResult[]> {
  let sinks: Sink[];
  try {
    sinks = openSinks(config);
  } catch (error) {
    return [{ check: 'receivers', ok: false, text: describeError(error) }];
  }
  return Promise.all(
    sinks.map(async (sink): Promise<CheckResult> => {
      const check = `receiver: ${sink.name}`;
      try {
        const more = await sink.probe?.();
        const text = typeof more === 'string' ? `connected; ${more}` : 'connected';
        return { check, ok: true, text: sink.probe === undefined ? 'not tried' : text };
      } catch (error) {
        return { check, ok: false, text: `${describeError(error)}: check deliveries.${sink.name}` };
      } finally {
        await sink.close?.();
      }
    }),
  );
}
