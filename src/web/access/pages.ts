import { html, type Html } from '../../base/html';
import { RESEARCH_USE } from '../../finding/wording';
import { LEAST_PASSWORD_LENGTH } from './password';
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
  const admin = html`<p><a href="/account/users">Users</a> <a href="/account/tokens">API tokens</a></p>`;
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
  const table = html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">Account</th>
          <th scope="col">Name</th>
          <th scope="col">Roles</th>
          <th scope="col">Password</th>
          <th scope="col">Remove</th>
        </tr>
      </thead>
      <tbody>
        ${users.map(row)}
      </tbody>
    </table>
  </div>`;
  const add = html`<h2>New account</h2>
    <form method="post" action="/account/users">
      ${field('username', 'Account', 'off')}${field('displayName', 'Name', 'off')}${newPassword('password', 'Password')}
      <p>${roleBoxes('new', [])}</p>
      <button>Add</button>
    </form>`;
  return page(
    'Users',
    html`<p><a href="/account">Account</a></p>
      ${problemText(problem)}${table}${add}`,
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
}

const time = (at: number | null) =>
  at === null
    ? 'never'
    : html`<time datetime="${new Date(at).toISOString()}"
        >${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC</time
      >`;

/** `shown`: a token that was just made, the only time that it is to be seen. */
export function tokensPage(tokens: readonly ListedToken[], shown: string | null, problem: string | null): string {
  const row = ({ prefix, label, role, createdBy, createdAt, usedAt }: ListedToken) =>
    html`<tr>
      <td>${prefix}</td>
      <td>${label}</td>
      <td>${role}</td>
      <td>${createdBy}, ${time(createdAt)}</td>
      <td>${time(usedAt)}</td>
      <td>
        <form method="post" action="/account/tokens/${prefix}/revoke" class="inline"><button>Revoke</button></form>
      </td>
    </tr>`;
  const table = html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">For</th>
          <th scope="col">Role</th>
          <th scope="col">Made by</th>
          <th scope="col">Last used</th>
          <th scope="col">Revoke</th>
        </tr>
      </thead>
      <tbody>
        ${tokens.map(row)}
      </tbody>
    </table>
  </div>`;
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
      ><button>Make a token</button>
    </form>`;
  return page(
    'API tokens',
    html`<p><a href="/account">Account</a></p>
      ${problemText(problem)}${made}${table}${add}`,
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
