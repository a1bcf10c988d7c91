import { HilumError } from '../../base/errors';

/** A server with the account that it is used by. */
export interface Endpoint {
  /** Without user and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** An application entity and where it listens. */
export interface DicomNode {
  readonly aet: string;
  readonly host: string;
  readonly port: number;
}

/** What `hilum init` has to know. */
export interface Site {
  /** DICOMweb root. */
  readonly archive: Endpoint;
  readonly broker: Endpoint;
  /** A PACS that results are sent to by C-STORE; the archive is an Orthanc then. */
  readonly pacs?: DicomNode | undefined;
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

/**
 * AET@HOST:PORT.
 * @throws HilumError CONFIG_INVALID where it is something else
 */
export function dicomNodeOf(text: string): DicomNode {
  const [, aet, host, port] = /^([\x20-\x3f\x41-\x5b\x5d-\x7e]{1,16})@(.+):(\d{1,5})$/.exec(text) ?? [];
  if (aet === undefined || host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new HilumError('CONFIG_INVALID', 'permanent', `${text} is no AET@HOST:PORT`);
  return { aet, host, port: Number(port) };
}

/**
 * Orthanc's own REST API, from its DICOMweb root.
 * @throws HilumError CONFIG_INVALID where that is not known of this address
 */
export function orthancUrlOf(dicomWebRoot: string): string {
  const url = /^(.+)\/dicom-web$/.exec(dicomWebRoot)?.[1];
  if (url === undefined)
    throw new HilumError(
      'CONFIG_INVALID',
      'permanent',
      `${dicomWebRoot} does not end with /dicom-web: a PACS is reached through an Orthanc (docs/pacs.md)`,
    );
  return url;
}

const withoutPassword = (text: string) => text.replace(/:[^:@/]*@/, ':...@');
