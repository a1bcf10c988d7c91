import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import type { Config } from '../../config/config';
import { listenError } from '../../net/listen-error';
import { isLoopback } from '../../net/network';
import { listensToRis } from '../ris';
import { certificateFinding } from './access';
import { isHilum, listenProblem } from './port';

const CHECK = 'RIS listener';
const KEYS = 'ris.listener.host and ris.listener.port';

/**
 * Checks that HL7 messages of the RIS can be received: the port is free or a running Hilum's, and the certificate is
 * valid.
 */
export async function examineRis(config: Config): Promise<CheckResult[]> {
  if (!listensToRis(config)) return [];
  const { host, port, tls } = config.ris.listener;
  const ofPort =
    port === 0 ? { check: CHECK, ok: true, text: 'a free port is taken at the start' } : await examine(config);
  if (tls === undefined) {
    const plain = isLoopback(host) ? '' : '; messages come unencrypted, and name patients';
    return [{ ...ofPort, text: `${ofPort.text}${ofPort.ok ? plain : ''}` }];
  }
  return [ofPort, certificateFinding(`${CHECK}: certificate`, tls.certFile)];
}

async function examine({ ris: { listener }, http }: Config): Promise<CheckResult> {
  const { host, port } = listener;
  const problem = await listenProblem(host, port);
  if (problem === null) return { check: CHECK, ok: true, text: `${port} of ${host} is free` };
  // HL7 has no way to ask who listens. If the web port is a Hilum's, this port is taken to be its as well.
  if (problem.code === 'EADDRINUSE' && (await isHilum(http)))
    return { check: CHECK, ok: true, text: `${port} of ${host} is in use, as a Hilum runs here` };
  return { check: CHECK, ok: false, text: describeError(listenError(host, port, problem, KEYS)) };
}
