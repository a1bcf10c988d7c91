import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { PASSWORD_COST as NOW } from './password-cost';

const KEY_BYTES = 32;
const SALT_BYTES = 16;
export const MIN_PASSWORD_LENGTH = 12;
const LONGEST_PASSWORD_LENGTH = 1024;

function derive(
  password: string,
  salt: Buffer,
  { N, r, p }: Required<Pick<ScryptOptions, 'N' | 'r' | 'p'>>,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Why a password can't be accepted, in one sentence, or null. */
export function passwordProblem(password: string, username: string): string | null {
  if (password.length < MIN_PASSWORD_LENGTH) return `A password has at least ${MIN_PASSWORD_LENGTH} characters.`;
  if (password.length > LONGEST_PASSWORD_LENGTH) return `A password has at most ${LONGEST_PASSWORD_LENGTH} characters.`;
  if (password.toLowerCase().includes(username.toLowerCase()))
    return 'A password does not hold the name of the account.';
  if (new Set(password).size < 5) return 'A password has at least five different characters.';
  return null;
}

/** `scrypt$N$r$p$salt$key`, the last two in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, NOW);
  return ['scrypt', NOW.N, NOW.r, NOW.p, salt.toString('base64'), key.toString('base64')].join('$');
}

/** A hash that no password matches, so that an unknown account takes as long as a known one. */
const NOBODY = [
  'scrypt',
  NOW.N,
  NOW.r,
  NOW.p,
  ...[SALT_BYTES, KEY_BYTES].map((length) => Buffer.alloc(length).toString('base64')),
].join('$');

/** Compares in constant time; null (no such account) takes as long and is never right. */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const [scheme, N, r, p, salt, key] = (hash ?? NOBODY).split('$');
  if (scheme !== 'scrypt' || salt === undefined || key === undefined) return false;
  const expected = Buffer.from(key, 'base64');
  const found = await derive(password.slice(0, LONGEST_PASSWORD_LENGTH), Buffer.from(salt, 'base64'), {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  });
  const isEqual = expected.length === found.length && timingSafeEqual(expected, found);
  return isEqual && hash !== null;
}

/** Whether a hash has weaker parameters than the present ones. */
export function isOutdated(hash: string): boolean {
  const [, N, r, p] = hash.split('$').map(Number);
  return N !== NOW.N || r !== NOW.r || p !== NOW.p;
}
