import { HilumError } from '../../base/errors';

/** A server with the account that it is used by. */
export interface Endpoint {
  /** Without user and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** What `hilum init` has to know. */
export interface Site {
  /** DICOMweb root. */
  readonly archive: Endpoint;
  readonly broker: Endpoint;
  /** Whether this process keeps the reading list. */
  readonly list: boolean;
  /** Folder of what must outlive a restart, absolute. */
  readonly stateDir: string;
}

export const ARCHIVE_PROTOCOLS = ['http:', 'https:'] as const;
export const BROKER_PROTOCOLS = ['amqp:', 'amqps:'] as const;

/**
 * A URL that may carry user and password, as an endpoint.
 * @throws HilumError CONFIG_INVALID where it is no URL of these protocols
 */
export function endpointOf(text: string, protocols: readonly string[]): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !protocols.includes(url.protocol) || url.hostname === '')
    throw new HilumError(
      'CONFIG_INVALID',
      'permanent',
      `${withoutPassword(text)} is no URL that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`,
    );
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  Object.assign(url, { username: '', password: '' });
  return {
    url: url.href.replace(/\/$/, ''),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

const withoutPassword = (text: string) => text.replace(/:[^:@/]*@/, ':...@');
