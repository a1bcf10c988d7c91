import { isIPv6 } from 'node:net';

/** An address as sockets tell it, without its zone; IPv4 inside IPv6 as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/**
 * What counts as one sender: an IPv4 address, or the /64 of an IPv6 address, as one machine has all addresses of its
 * network (RFC 4291 section 2.5.4, RFC 8981).
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  // The canonical form (RFC 5952): in lower case, with "::" for the longest run of zeros.
  const [before = '', after] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const [head, tail] = [before, after ?? ''].map((text) => (text === '' ? [] : text.split(':'))) as [
    string[],
    string[],
  ];
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}
