import { HilumError } from '../../base/errors';

/** URL of a server and the account to use. */
export interface Endpoint {
  /** Without user name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** AE title, host and port of a DICOM application entity. */
export interface DicomNode {
  readonly aet: string;
  readonly host: string;
  readonly port: number;
}

/** What `hilum init` asks for. */
export interface Site {
  /** DICOMweb root. */
  readonly archive: Endpoint;
  readonly broker: Endpoint;
  /** A PACS that results are sent to by C-STORE; the archive must be an Orthanc then. */
  readonly pacs?: DicomNode | undefined;
  /** Whether this process keeps the reading list. */
  readonly list: boolean;
  /** Absolute path of the folder for state that must survive a restart. */
  readonly stateDir: string;
}

export const ARCHIVE_PROTOCOLS = ['http:', 'https:'] as const;
export const BROKER_PROTOCOLS = ['amqp:', 'amqps:'] as const;

/**
 * Parses a URL with or without user name and password.
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
  const [username, password] = [url.username, url.password].map(decoded);
  Object.assign(url, { username: '', password: '' });
  return {
    url: url.href.replace(/\/$/, ''),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

/** A percent sign with something else than two hexadecimal digits behind it is one that was not encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Parses AET@HOST:PORT. @throws HilumError CONFIG_INVALID for anything else */
export function dicomNodeOf(text: string): DicomNode {
  const [, aet, host, port] = /^([\x20-\x3f\x41-\x5b\x5d-\x7e]{1,16})@(.+):(\d{1,5})$/.exec(text) ?? [];
  if (aet === undefined || host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new HilumError('CONFIG_INVALID', 'permanent', `${text} is no AET@HOST:PORT`);
  return { aet, host, port: Number(port) };
}

/**
 * URL of Orthanc's own REST API, from its DICOMweb root.
 * @throws HilumError CONFIG_INVALID where it can't be derived from this address
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
