import { Agent, fetch as undiciFetch } from 'undici';
import { readTls } from './tls';

/**
 * fetch for a server whose certificate is issued by one of the site's own authorities.
 * @throws HilumError CONFIG_INVALID when the file can't be read
 */
export function trustingFetch(caFile: string): (url: string, options: RequestInit) => Promise<Response> {
  const { ca } = readTls({ caFile });
  const dispatcher = new Agent({ connect: { ca: ca! } });
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- undici's, like Node's
  return async (url, options) => await undiciFetch(url, { ...(options as object), dispatcher });
}
