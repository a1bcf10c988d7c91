/**
 * Tables of the sign-in: times in milliseconds since 1970, roles as a JSON list. No secret is stored in clear:
 * passwords by scrypt, sessions and tokens by SHA-256.
 */
export interface AccessSchema {
  account: AccountTable;
  session: SessionTable;
  sign_in: SignInTable;
  api_token: ApiTokenTable;
  first_token: FirstTokenTable;
  site_key: SiteKeyTable;
}

interface AccountTable {
  /** In lower case. */
  username: string;
  display_name: string;
  password_hash: string;
  roles: string;
  created_at: number;
  password_changed_at: number;
}

interface SessionTable {
  id_hash: string;
  user_id: string;
  /** Name of a local account, whose row has the roles; null for OpenID Connect. */
  username: string | null;
  display_name: string;
  roles: string;
  /** ID token of the provider, which it needs at sign-out. */
  id_token: string | null;
  created_at: number;
  seen_at: number;
}

/** A finished sign-in by OpenID Connect, kept while it could be tried again: each counts once. */
interface SignInTable {
  /** SHA-256 of its state. */
  id_hash: string;
  /** This column and the next ones were used before 0.2, and are empty now. */
  state: string;
  nonce: string;
  code_verifier: string;
  return_to: string;
  created_at: number;
}

interface ApiTokenTable {
  prefix: string;
  token_hash: string;
  label: string;
  role: string;
  created_by: string;
  created_at: number;
  used_at: number | null;
  expires_at: number | null;
}

/** Random keys that all processes share, in base64, by purpose: `sign-in`, `patient-digest`. */
interface SiteKeyTable {
  name: string;
  value: string;
}

/** At most one row: the token for creating the first admin. */
interface FirstTokenTable {
  id: number;
  token_hash: string;
  created_at: number;
}
