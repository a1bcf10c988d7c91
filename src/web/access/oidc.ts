import { describeError, HilumError } from '../../base/errors';
import type { AccessConfig } from './config';
import { PERSON_ROLES, type Role } from './user';

type OidcConfig = NonNullable<AccessConfig['oidc']>;
type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** An ES module, imported when it is needed. */
const library = () => import('openid-client');
type Provider = Awaited<ReturnType<Awaited<ReturnType<typeof library>>['discovery']>>;

export interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface OidcUser {
  readonly subject: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly idToken: string;
}

/** The provider's response was not accepted. */
export class NotSignedIn extends Error {}

/** Error codes of openid-client and oauth4webapi for responses that are denied or forged. */
const REFUSALS = new Set([
  'AuthorizationResponseError',
  'ResponseBodyError',
  'ClientError',
  'OperationProcessingError',
]);

/**
 * OpenID Connect: authorization code flow with PKCE and nonce, by openid-client, which checks issuer, audience,
 * signature and times of the ID token.
 */
export class OidcClient {
  private provider: Promise<Provider> | null = null;
  private known: Provider | null = null;

  constructor(
    private readonly settings: OidcConfig,
    private readonly fetchWithTrust: Fetch,
  ) {}

  /** Origins that a sign-out may be redirected to. */
  origins(): readonly string[] {
    const endpoint = this.known?.serverMetadata().end_session_endpoint;
    return [
      ...new Set(
        [this.settings.issuer, ...(endpoint === undefined ? [] : [endpoint])].map((url) => new URL(url).origin),
      ),
    ];
  }

  /** URL for the browser, and the data to keep meanwhile. @throws HilumError SIGN_IN_UNAVAILABLE */
  async start(redirectUri: string): Promise<{ url: URL; flow: Flow }> {
    const provider = await this.discover();
    const oidc = await library();
    const flow = { state: oidc.randomState(), nonce: oidc.randomNonce(), codeVerifier: oidc.randomPKCECodeVerifier() };
    const challenge = await oidc.calculatePKCECodeChallenge(flow.codeVerifier);
    const url = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope: this.settings.scope,
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    return { url, flow };
  }

  /**
   * The user that the provider has authenticated. `answer` is the URL that the browser came back to.
   * @throws NotSignedIn, HilumError SIGN_IN_UNAVAILABLE
   */
  async finish(answer: URL, { state, nonce, codeVerifier }: Flow): Promise<OidcUser> {
    const provider = await this.discover();
    const oidc = await library();
    try {
      // The library requires an ID token where a nonce is expected.
      const tokens = await oidc.authorizationCodeGrant(provider, answer, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
      });
      const claims = tokens.claims();
      if (claims === undefined || tokens.id_token === undefined) throw new NotSignedIn('the provider sent no ID token');
      const all = await this.withUserInfo(provider, tokens.access_token, claims);
      return {
        subject: claims.sub,
        name: nameOf(all, this.settings.nameClaim) ?? claims.sub,
        roles: rolesOfClaims(all, this.settings),
        idToken: tokens.id_token,
      };
    } catch (error) {
      if (error instanceof NotSignedIn) throw error;
      if (error instanceof Error && REFUSALS.has(error.name))
        throw new NotSignedIn(describeError(error), { cause: error });
      throw unavailable(error);
    }
  }

  /** URL to sign out at the provider too; null where the provider has none. */
  async signOutUrl(idToken: string | null, backTo: string): Promise<URL | null> {
    const provider = await this.discover();
    if (provider.serverMetadata().end_session_endpoint === undefined) return null;
    return (await library()).buildEndSessionUrl(provider, {
      post_logout_redirect_uri: backTo,
      ...(idToken === null ? {} : { id_token_hint: idToken }),
    });
  }

  /** Some providers have roles in the ID token, some only at the user info endpoint. */
  private async withUserInfo(
    provider: Provider,
    accessToken: string,
    claims: { readonly sub: string },
  ): Promise<Readonly<Record<string, unknown>>> {
    const own = { ...claims } as Record<string, unknown>;
    if (
      claimAt(own, this.settings.rolesClaim) !== undefined ||
      provider.serverMetadata().userinfo_endpoint === undefined
    )
      return own;
    const info = await (await library()).fetchUserInfo(provider, accessToken, claims.sub);
    return { ...info, ...own };
  }

  private async discover(): Promise<Provider> {
    this.provider ??= this.ask();
    try {
      this.known = await this.provider;
      return this.known;
    } catch (error) {
      this.provider = null;
      throw unavailable(error);
    }
  }

  private async ask(): Promise<Provider> {
    const oidc = await library();
    const { issuer, clientId, clientSecret } = this.settings;
    const url = new URL(issuer);
    // http is let through by the configuration on loopback only.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so only to stand out
    const execute = url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
    const authentication = clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(clientSecret);
    return oidc.discovery(url, clientId, undefined, authentication, {
      execute,
      [oidc.customFetch]: (to: string, options: object) => this.fetchWithTrust(to, options),
    });
  }
}

function unavailable(cause: unknown): HilumError {
  return new HilumError(
    'SIGN_IN_UNAVAILABLE',
    'transient',
    'the OpenID Connect provider does not answer as it should',
    { cause },
  );
}

/** A claim by its name (which may contain dots), else by its path into objects. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      claims,
    );
}

/** Roles for the values of a claim: a list, or one text with spaces. */
export function rolesOfClaims(
  claims: Readonly<Record<string, unknown>>,
  { rolesClaim, roles }: Pick<OidcConfig, 'rolesClaim' | 'roles'>,
): Role[] {
  const claim = claimAt(claims, rolesClaim);
  const all: unknown[] = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(' ') : [];
  // An empty value has no role, whatever the configuration says.
  const values = all.filter((value) => typeof value === 'string' && value.trim() !== '');
  return PERSON_ROLES.filter((role) => roles[role].some((value) => values.includes(value)));
}

function nameOf(claims: Readonly<Record<string, unknown>>, nameClaim: string): string | null {
  const found = [claimAt(claims, nameClaim), claims['preferred_username'], claims['email']].find(
    (value) => typeof value === 'string' && value !== '',
  );
  return (found as string | undefined) ?? null;
}
