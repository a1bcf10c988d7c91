import { html, type Html } from '../../base/html';
import { RESEARCH_USE } from '../../finding/wording';
import { MOST_TOKEN_DAYS, TOKEN_DAYS } from './directory';
import { LEAST_PASSWORD_LENGTH } from './password';
import type { SignedInUser } from './session-store';
import { PERSON_ROLES, type RequestUser, ROLES } from './user';

/** A page of this layer: no script at all. */
function page(title: string, body: Html, isWide = false): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - Hilum</title>
        <link rel="stylesheet" href="/sign-in.css" />
      </head>
      <body>
        <main class="${isWide ? 'wide' : ''}">
          <h1>${title}</h1>
          ${body}
          <p class="soft">Hilum. ${RESEARCH_USE.sentence}</p>
        </main>
      </body>
    </html> `.text;
}

const problemText = (problem: string | null) => (problem === null ? null : html`<p role="alert">${problem}</p>`);
const newPassword = (name: string, label: string) =>
  html`<label for="${name}">${label} (at least ${LEAST_PASSWORD_LENGTH} characters)</label
    ><input
      id="${name}"
      name="${name}"
      type="password"
      autocomplete="new-password"
      minlength="${LEAST_PASSWORD_LENGTH}"
      required
    />`;
const field = (name: string, label: string, autocomplete: string) =>
  html`<label for="${name}">${label}</label
    ><input
      id="${name}"
      name="${name}"
      autocomplete="${autocomplete}"
      autocapitalize="none"
      spellcheck="false"
      required
    />`;
const roleBoxes = (id: string, checked: readonly string[]) =>
  PERSON_ROLES.map(
    (role) =>
      html`<label class="check" for="${id}-${role}"
        ><input
          type="checkbox"
          id="${id}-${role}"
          name="roles"
          value="${role}"
          ${checked.includes(role) ? html` checked` : null}
        />
        ${role}</label
      >`,
  );

const time = (at: number | null, none = 'never') =>
  at === null
    ? none
    : html`<time datetime="${new Date(at).toISOString()}"
        >${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC</time
      >`;

const table = (heads: readonly string[], rows: readonly Html[]) =>
  html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;

export interface SignInPage {
  readonly local: boolean;
  readonly oidc: boolean;
  readonly awaitsFirstAdmin: boolean;
  readonly returnTo: string;
  readonly problem: string | null;
  readonly signedOut: boolean;
}

export function signInPage({ local, oidc, awaitsFirstAdmin, returnTo, problem, signedOut }: SignInPage): string {
  const form = html`<form method="post" action="/sign-in">
    <input type="hidden" name="returnTo" value="${returnTo}" />${field('username', 'Account', 'username')}<label
      for="password"
      >Password</label
    ><input id="password" name="password" type="password" autocomplete="current-password" required /><button>
      Sign in
    </button>
  </form>`;
  const link = html`<p>
    <a class="button" href="/sign-in/oidc?returnTo=${encodeURIComponent(returnTo)}"
      >Sign in with the hospital's account</a
    >
  </p>`;
  const first = html`<p><a href="/first-admin">First start: make the first admin</a></p>`;
  return page(
    'Sign in',
    html`${problemText(problem)}${[
      signedOut ? html`<p role="status">You have signed out.</p>` : null,
      oidc ? link : null,
      local ? form : null,
      awaitsFirstAdmin ? first : null,
    ].filter((part) => part !== null)}`,
  );
}

export function firstAdminPage(problem: string | null): string {
  return page(
    'First admin',
    html`${problemText(problem)}
      <p>The token is in the log of the service's first start.</p>
      <form method="post" action="/first-admin">
        ${[
          field('token', 'Token', 'off'),
          field('username', 'Account', 'username'),
          field('displayName', 'Name', 'name'),
          newPassword('password', 'Password'),
        ]}<button>Make the first admin</button>
      </form>`,
  );
}

export function accountPage(user: RequestUser, problem: string | null): string {
  const change = html`<h2>Change the password</h2>
    ${problemText(problem)}
    <form method="post" action="/account/password">
      <label for="current">Password until now</label
      ><input
        id="current"
        name="current"
        type="password"
        autocomplete="current-password"
        required
      />${newPassword('next', 'New password')}<button>Change</button>
    </form>`;
  const admin = html`<p>
    <a href="/account/users">Users</a> <a href="/account/sessions">Sessions</a> <a href="/account/tokens">API tokens</a>
  </p>`;
  return page(
    'Account',
    html`<p><a href="/">Back to Hilum</a></p>
      <p>${user.name} <span class="soft">(${user.id})</span>: ${user.roles.join(', ')}</p>
      ${user.roles.includes('admin') ? admin : null}
      <form method="post" action="/sign-out" class="inline"><button>Sign out</button></form>
      ${user.kind === 'local' ? change : null}`,
  );
}

export interface ListedUser {
  readonly username: string;
  readonly displayName: string;
  readonly roles: readonly string[];
}

export function usersPage(users: readonly ListedUser[], problem: string | null): string {
  const row = ({ username, displayName, roles }: ListedUser) =>
    html`<tr>
      <td>${username}</td>
      <td>${displayName}</td>
      <td>
        <form method="post" action="/account/users/${username}/roles" class="inline">
          ${roleBoxes(username, roles)}<button>Set roles</button>
        </form>
      </td>
      <td>
        <form method="post" action="/account/users/${username}/password" class="inline">
          ${newPassword(`password-${username}`, 'New password')}<button>Set password</button>
        </form>
      </td>
      <td>
        <form method="post" action="/account/users/${username}/remove" class="inline"><button>Remove</button></form>
      </td>
    </tr>`;
  const add = html`<h2>New account</h2>
    <form method="post" action="/account/users">
      ${field('username', 'Account', 'off')}${field('displayName', 'Name', 'off')}${newPassword('password', 'Password')}
      <p>${roleBoxes('new', [])}</p>
      <button>Add</button>
    </form>`;
  return page(
    'Users',
    html`<p><a href="/account">Account</a></p>
      ${problemText(problem)}${table(['Account', 'Name', 'Roles', 'Password', 'Remove'], users.map(row))}${add}`,
    true,
  );
}

/** Who is signed in, by a local account or by the provider. */
export function sessionsPage(users: readonly SignedInUser[], problem: string | null): string {
  const row = ({ userId, displayName, sessions, seenAt }: SignedInUser) =>
    html`<tr>
      <td>${displayName} <span class="soft">(${userId})</span></td>
      <td>${sessions}</td>
      <td>${time(seenAt)}</td>
      <td>
        <form method="post" action="/account/sessions/${encodeURIComponent(userId)}/end" class="inline">
          <button>End</button>
        </form>
      </td>
    </tr>`;
  return page(
    'Sessions',
    html`<p><a href="/account">Account</a></p>
      ${problemText(problem)}${table(['User', 'Sessions', 'Last used', 'End'], users.map(row))}
      <p class="soft">
        Who has an account here or at the provider can sign in again: take the roles away there, or remove the account.
      </p>`,
    true,
  );
}

export interface ListedToken {
  readonly prefix: string;
  readonly label: string;
  readonly role: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly usedAt: number | null;
  readonly expiresAt: number | null;
}

/** `shown`: a token that was just made, the only time that it is to be seen. */
export function tokensPage(tokens: readonly ListedToken[], shown: string | null, problem: string | null): string {
  const row = ({ prefix, label, role, createdBy, createdAt, usedAt, expiresAt }: ListedToken) =>
    html`<tr>
      <td>${prefix}</td>
      <td>${label}</td>
      <td>${role}</td>
      <td>${createdBy}, ${time(createdAt)}</td>
      <td>${time(usedAt)}</td>
      <td>${time(expiresAt, 'no end')}</td>
      <td>
        <form method="post" action="/account/tokens/${prefix}/revoke" class="inline"><button>Revoke</button></form>
      </td>
    </tr>`;
  const made =
    shown === null
      ? null
      : html`<div class="card" role="status">
          <p>The new token. It is shown this once:</p>
          <p><code>${shown}</code></p>
        </div>`;
  const add = html`<h2>New token</h2>
    <form method="post" action="/account/tokens">
      ${field('label', 'For', 'off')}<label for="role">Role</label
      ><select id="role" name="role">
        ${ROLES.map((role) => html`<option${role === 'metrics' ? html` selected` : null}>${role}</option>`)}</select
      ><label for="days">Valid for (days)</label
      ><input
        id="days"
        name="days"
        type="number"
        min="1"
        max="${MOST_TOKEN_DAYS}"
        value="${TOKEN_DAYS}"
        required
      /><button>Make a token</button>
    </form>`;
  const heads = ['Token', 'For', 'Role', 'Made by', 'Last used', 'Valid until', 'Revoke'];
  return page(
    'API tokens',
    html`<p><a href="/account">Account</a></p>
      ${problemText(problem)}${made}${table(heads, tokens.map(row))}
      <p class="soft">A token ends with the account that made it, and when that is no admin any more.</p>
      ${add}`,
    true,
  );
}

export function refusalPage(status: number, text: string, backLink: boolean): string {
  return page(
    status === 403 ? 'Not allowed' : 'Not possible now',
    html`<p role="alert">${text}</p>
      ${backLink ? html`<p><a href="/account">Account</a></p>` : null}`,
  );
}
