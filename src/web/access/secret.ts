import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
const PREFIX_BYTES = 6;

/** 256 random bits, as text for a cookie or a URL. */
export function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * What is kept of a secret: with 256 random bits nothing slower than SHA-256 is needed, and who reads the database
 * can't sign in.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export interface NewApiToken {
  /** `hilum_PREFIX_SECRET`: shown once. */
  readonly token: string;
  /** Names the token in lists and audit messages. */
  readonly prefix: string;
}

const FORM = /^hilum_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

export function newApiToken(): NewApiToken {
  const prefix = randomBytes(PREFIX_BYTES).toString('hex');
  return { token: `hilum_${prefix}_${randomSecret()}`, prefix };
}

/** The prefix of what may be an API token, else null. */
export function prefixOf(token: string): string | null {
  return FORM.exec(token)?.[1] ?? null;
}
