/**
 * A real OpenID Connect provider in a process of its own: PORT and REDIRECT are given, CLAIMS as JSON by account.
 * Prints "ready".
 */
import { Provider } from 'oidc-provider';

const { PORT, ORIGIN, CLAIMS } = process.env;
const claimsOf = JSON.parse(CLAIMS);
const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    {
      client_id: 'hilum',
      client_secret: 'a secret of the client',
      redirect_uris: [`${ORIGIN}/sign-in/callback`],
      post_logout_redirect_uris: [`${ORIGIN}/sign-in?out=1`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
    },
  ],
  claims: { openid: ['sub'], profile: ['name', 'realm_access'] },
  pkce: { required: () => true },
  features: { rpInitiatedLogout: { enabled: true } },
  cookies: { keys: ['for the test only'] },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...claimsOf[id] }) }),
});
provider.listen(Number(PORT), '127.0.0.1', () => process.stdout.write('ready\n'));
