import { HilumError } from '../base/errors';

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it',
  EACCES: 'this account may not use it (ports below 1024 need a right of their own)',
  EADDRNOTAVAIL: 'the address is none of this machine',
  ENOTFOUND: 'the name has no address',
};

/**
 * Why the service can't listen on a port, in a sentence that names it and the `keys` of the configuration to look at.
 */
export function listenError(
  host: string,
  port: number,
  cause: NodeJS.ErrnoException,
  keys = 'http.host and http.port',
): HilumError {
  const code = cause.code ?? 'no code';
  const problem = LISTEN_PROBLEMS[code] ?? 'the system refuses it';
  const text = `port ${port} of ${host} can't be served on: ${problem} (${code}); see ${keys}`;
  return new HilumError('LISTEN_FAILED', 'permanent', text);
}
