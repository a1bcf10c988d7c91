import { z } from 'zod';
import { tlsFiles } from '../../net/config';
import { isLoopback } from '../../net/network';
import { type HttpConfig, isExposed } from '../config';

/** An empty value would give its role to every user with an empty claim. */
const roleValue = z.string().regex(/\S/, 'is empty: name the value of the claim, or leave it out');

const oidc = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .describe('Issuer of the OpenID Connect provider, e.g. https://login.hospital.example/realms/clinic'),
  clientId: z.string().min(1).describe('Name of Hilum at the provider'),
  clientSecret: z.string().min(1).optional().describe('Its secret; without one Hilum is a public client (PKCE alone)'),
  scope: z.string().default('openid profile').describe('Scopes that are asked for'),
  rolesClaim: z
    .string()
    .min(1)
    .default('roles')
    .describe(
      'Claim of the ID token that holds the roles or groups; a path with dots goes into objects, e.g. ' +
        'realm_access.roles',
    ),
  roles: z
    .strictObject({
      radiologist: z.array(roleValue).default(['radiologist']),
      operator: z.array(roleValue).default(['operator']),
      admin: z.array(roleValue).default(['admin']),
    })
    .prefault({})
    .describe('Which values of the claim make which role; who has none is refused'),
  nameClaim: z.string().min(1).default('name').describe('Claim that is shown as the name'),
  caFile: tlsFiles.caFile,
});

export const accessSchema = z
  .strictObject({
    kind: z
      .enum(['none', 'local', 'oidc', 'both'])
      .default('none')
      .describe(
        'How people sign in: not at all (on loopback only), with accounts of Hilum, by OpenID Connect, or either',
      ),
    oidc: oidc.optional(),
    idleMinutes: z
      .number()
      .positive()
      .max(1440)
      .default(30)
      .describe('A session ends when nothing was asked for this long (minutes)'),
    sessionHours: z
      .number()
      .positive()
      .max(168)
      .default(12)
      .describe('A session ends this long after its sign-in, whatever happens (hours)'),
    signInTries: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(10)
      .describe(
        'Failed sign-ins of one account from one address, and ten times as many of one account or from one address, ' +
          'after which it waits 15 minutes',
      ),
    requestsPerMinute: z
      .number()
      .int()
      .min(10)
      .default(3000)
      .describe('Most requests of one user, or of one address without a sign-in, in a minute'),
  })
  .refine(({ kind, oidc: given }) => (kind !== 'oidc' && kind !== 'both') || given !== undefined, {
    path: ['oidc'],
    error: 'is needed with kind oidc or both',
  })
  .prefault({});

export type AccessConfig = z.infer<typeof accessSchema>;

export interface Problem {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * Settings that are refused: reachable by other machines without sign-in or without TLS, and combinations that can't
 * work.
 */
export function exposureProblems(http: HttpConfig, access: AccessConfig): Problem[] {
  const problems: Problem[] = [];
  const { tls, trustedProxies, publicUrl, host } = http;
  const isProxied = trustedProxies.length > 0;
  if (isExposed(http)) {
    if (access.kind === 'none')
      problems.push({
        path: ['access', 'kind'],
        message:
          'nobody has to sign in, which is allowed on loopback only: choose local, oidc or both, or serve on ' +
          `127.0.0.1 (http.host is ${host})`,
      });
    if (tls === undefined && !isProxied)
      problems.push({
        path: ['http', 'tls'],
        message:
          'without TLS the service is allowed on loopback only: give certFile and keyFile, declare a reverse proxy ' +
          `by http.trustedProxies, or serve on 127.0.0.1 (http.host is ${host})`,
      });
  }
  if (isProxied && tls === undefined && !publicUrl?.startsWith('https:'))
    problems.push({
      path: ['http', 'publicUrl'],
      message: 'is needed behind a reverse proxy, and begins with https://',
    });
  if (tls !== undefined && publicUrl?.startsWith('http:'))
    problems.push({ path: ['http', 'publicUrl'], message: 'begins with https:// where the service has a certificate' });
  if (publicUrl !== undefined && new URL(publicUrl).pathname !== '/')
    problems.push({ path: ['http', 'publicUrl'], message: 'has no path: Hilum needs a name or a port of its own' });
  if (
    access.oidc !== undefined &&
    new URL(access.oidc.issuer).protocol === 'http:' &&
    !isLoopback(new URL(access.oidc.issuer).hostname)
  )
    problems.push({ path: ['access', 'oidc', 'issuer'], message: 'begins with https://' });
  if (access.kind !== 'none' && access.kind !== 'local' && publicUrl === undefined && isExposed(http))
    problems.push({
      path: ['http', 'publicUrl'],
      message: 'is needed for OpenID Connect: the provider sends people back there',
    });
  return problems;
}
