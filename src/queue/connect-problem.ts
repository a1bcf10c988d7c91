/** Messages of amqplib for failed connections, which have no codes. */
const SIGNS: readonly (readonly [RegExp, (vhost: string) => string])[] = [
  [
    /Expected ConnectionOpenOk; got <ConnectionClose/,
    (vhost) =>
      `the virtual host "${vhost}" of broker.url is not there, or this account may not use it: ` +
      'rabbitmqctl list_vhosts and list_permissions tell',
  ],
  [
    /^Handshake terminated by server: 403/,
    () =>
      'the broker refuses the user name or the password of broker.url, ' +
      'or lets this account sign in from its own machine only',
  ],
  [
    /abruptly|Unexpected close|ECONNRESET|EPIPE/,
    () =>
      'the connection was closed from the other side: the broker was stopped, a firewall cut it, ' +
      'or broker.url says amqp where the port speaks TLS',
  ],
  [
    /^Connection closed: (320|5\d\d)/,
    () => 'the broker closed the connection: it was stopped, or an administrator closed it',
  ],
];

/** Why there is no connection, in one sentence; null for an error that is unknown here or clear enough. */
export function connectProblem(error: unknown, url: string): string | null {
  const text = error instanceof Error ? `${'code' in error ? String(error.code) : ''} ${error.message}`.trim() : '';
  const message = error instanceof Error ? error.message : '';
  const found = SIGNS.find(([sign]) => sign.test(message) || sign.test(text));
  return found === undefined ? null : found[1](vhostOf(url));
}

/** The path of an AMQP URI is the virtual host; without one it is `/`. */
function vhostOf(url: string): string {
  const path = new URL(url).pathname.slice(1);
  return path === '' ? '/' : decodeURIComponent(path);
}
