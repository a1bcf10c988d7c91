import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { createServer, isIP } from 'node:net';
import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import type { Config } from '../../config/config';
import { listenError } from '../../net/listen-error';

const PATIENCE_MS = 3_000;
const MAX_BYTES = 10_000;

/** Checks that the service can listen on its port, or that a running Hilum does: doctor may run beside it. */
export async function examinePort({ http }: Pick<Config, 'http'>): Promise<CheckResult[]> {
  const check = 'port';
  const where = `${http.port} of ${http.host}`;
  if (http.port === 0) return [{ check, ok: true, text: 'a free one is taken at the start' }];
  const problem = await listenProblem(http.host, http.port);
  if (problem === null) return [{ check, ok: true, text: `${where} is free` }];
  if (problem.code === 'EADDRINUSE' && (await isHilum(http)))
    return [{ check, ok: true, text: `${where} is served by a running Hilum` }];
  return [{ check, ok: false, text: describeError(listenError(http.host, http.port, problem)) }];
}

/** Error of listening on a port; null where it works. */
export function listenProblem(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

/**
 * Whether a Hilum answers on the port, by its liveness route or by its refusal of requests that bypass the proxy.
 * Nothing secret is sent, so any certificate is accepted.
 */
export async function isHilum({ host, port, tls }: Config['http']): Promise<boolean> {
  const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  const scheme = tls === undefined ? 'http' : 'https';
  const answer = await ask(`${scheme}://${isIP(name) === 6 ? `[${name}]` : name}:${port}/health/live`);
  return answer === '{"live":true}' || answer === '{"error":"You may not do this."}';
}

/** Body of the response; null where there is none in time. */
function ask(url: string): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { rejectUnauthorized: false, timeout: PATIENCE_MS, headers: { accept: 'application/json' } };
    const request = (url.startsWith('https:') ? httpsGet : httpGet)(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part;
        if (body.length > MAX_BYTES) request.destroy();
      });
      response.on('end', () => resolve(body));
      response.on('close', () => resolve(null));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(null));
  });
}
