import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
const PREFIX_BYTES = 6;

/** 256 random bits, as text for a cookie or a URL. */
export function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * Stored form of a secret. With 256 random bits SHA-256 is enough, and reading the database does not help to sign in.
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

/** Prefix of a text in the form of an API token, else null. */
export function prefixOf(token: string): string | null {
  return FORM.exec(token)?.[1] ?? null;
}
