import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Flow } from './oidc';

/**
 * A sign-in at the OpenID Connect provider that is under way. It is kept in the browser only, as anybody can start one.
 */
export interface PendingFlow extends Flow {
  readonly returnTo: string;
}

/** Content of the cookie: the flow and its start (milliseconds since 1970), signed (HMAC-SHA256). */
export function sealFlow(flow: PendingFlow, beganAt: number, key: Buffer): string {
  const { state, nonce, codeVerifier, returnTo } = flow;
  const text = Buffer.from(JSON.stringify([beganAt, state, nonce, codeVerifier, returnTo])).toString('base64url');
  return `${text}.${signatureOf(text, key).toString('base64url')}`;
}

/** The flow of a cookie; null where the signature is wrong or it began before `notBefore`. */
export function openFlow(sealed: string, notBefore: number, key: Buffer): PendingFlow | null {
  const [text = '', signature = ''] = sealed.split('.');
  const [given, right] = [Buffer.from(signature, 'base64url'), signatureOf(text, key)];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
  const [beganAt, state, nonce, codeVerifier, returnTo] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [
    number,
    string,
    string,
    string,
    string,
  ];
  return beganAt < notBefore ? null : { state, nonce, codeVerifier, returnTo };
}

function signatureOf(text: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
