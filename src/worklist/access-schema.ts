/**
 * The tables of sign-in: times in milliseconds since 1970, roles as a JSON list. No secret is kept as it is: passwords
 * by scrypt, sessions and tokens by SHA-256.
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
  /** Of a local account, whose row then has the roles; null for OpenID Connect. */
  username: string | null;
  display_name: string;
  roles: string;
  /** ID token of the provider, which it wants to see at sign-out. */
  id_token: string | null;
  created_at: number;
  seen_at: number;
}

/** A sign-in by OpenID Connect that was finished, for as long as it could be tried again: each counts once. */
interface SignInTable {
  /** Of its state. */
  id_hash: string;
  /** This and what follows were used before 0.2, and are empty now. */
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

/** Random keys that all processes share, as base64, by what they are for: `sign-in`, `patient-digest`. */
interface SiteKeyTable {
  name: string;
  value: string;
}

/** One row at most: the token by which the first admin is made. */
interface FirstTokenTable {
  id: number;
  token_hash: string;
  created_at: number;
}
