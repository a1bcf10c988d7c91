import { html, type Html } from '../../base/html';
import { LANGUAGES, say, type Words } from '../../language/say';
import { translated } from '../../language/words';
import { MAX_TOKEN_DAYS, TOKEN_DAYS } from './directory';
import { MIN_PASSWORD_LENGTH } from './password';
import type { SignedInUser } from './session-store';
import { PERSON_ROLES, type RequestUser, ROLES } from './user';

/** A page of the access layer, without scripts. */
function page(words: Words, title: string, body: Html, isWide = false): string {
  return html`<!doctype html>
    <html lang="${words.language}">
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
          <p class="soft">Hilum. ${say(words, 'research.sentence')}</p>
        </main>
      </body>
    </html> `.text;
}

/** Problems come from the access layer's rules in English. */
const problemText = (words: Words, problem: string | null) =>
  problem === null ? null : html`<p role="alert">${translated(words, problem)}</p>`;

/** Links to choose the language of all pages. */
const languageLinks = (path: string) =>
  html`<p class="languages">
    ${Object.entries(LANGUAGES).map(
      ([language, name]) =>
        html`<a href="${path}${path.includes('?') ? '&' : '?'}lang=${language}" lang="${language}">${name}</a> `,
    )}
  </p>`;
const newPassword = (words: Words, name: string, label: 'signIn.password' | 'account.new') =>
  html`<label for="${name}"
      >${say(words, 'signIn.atLeast', { label: say(words, label), count: MIN_PASSWORD_LENGTH })}</label
    ><input
      id="${name}"
      name="${name}"
      type="password"
      autocomplete="new-password"
      minlength="${MIN_PASSWORD_LENGTH}"
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

const time = (words: Words, at: number | null, none: 'account.never' | 'account.noEnd' = 'account.never') =>
  at === null
    ? say(words, none)
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

const toAccount = (words: Words) => html`<p><a href="/account">${say(words, 'signIn.account')}</a></p>`;

export interface SignInPage {
  readonly local: boolean;
  readonly oidc: boolean;
  readonly awaitsFirstAdmin: boolean;
  readonly returnTo: string;
  readonly problem: string | null;
  readonly signedOut: boolean;
}

export function signInPage(
  words: Words,
  { local, oidc, awaitsFirstAdmin, returnTo, problem, signedOut }: SignInPage,
): string {
  const form = html`<form method="post" action="/sign-in">
    <input type="hidden" name="returnTo" value="${returnTo}" />${field(
      'username',
      say(words, 'signIn.account'),
      'username',
    )}<label for="password">${say(words, 'signIn.password')}</label
    ><input id="password" name="password" type="password" autocomplete="current-password" required /><button>
      ${say(words, 'signIn.title')}
    </button>
  </form>`;
  const link = html`<p>
    <a class="button" href="/sign-in/oidc?returnTo=${encodeURIComponent(returnTo)}">${say(words, 'signIn.hospital')}</a>
  </p>`;
  const first = html`<p><a href="/first-admin">${say(words, 'signIn.first')}</a></p>`;
  return page(
    words,
    say(words, 'signIn.title'),
    html`${problemText(words, problem)}${[
      signedOut ? html`<p role="status">${say(words, 'signIn.signedOut')}</p>` : null,
      oidc ? link : null,
      local ? form : null,
      awaitsFirstAdmin ? first : null,
      languageLinks(`/sign-in?returnTo=${encodeURIComponent(returnTo)}`),
    ].filter((part) => part !== null)}`,
  );
}

export function firstAdminPage(words: Words, problem: string | null): string {
  return page(
    words,
    say(words, 'signIn.firstTitle'),
    html`${problemText(words, problem)}
      <p>${say(words, 'signIn.firstText')}</p>
      <form method="post" action="/first-admin">
        ${[
          field('token', say(words, 'signIn.token'), 'off'),
          field('username', say(words, 'signIn.account'), 'username'),
          field('displayName', say(words, 'signIn.name'), 'name'),
          newPassword(words, 'password', 'signIn.password'),
        ]}<button>${say(words, 'signIn.makeFirst')}</button>
      </form>
      ${languageLinks('/first-admin')}`,
  );
}

export function accountPage(words: Words, user: RequestUser, problem: string | null): string {
  const change = html`<h2>${say(words, 'account.change')}</h2>
    ${problemText(words, problem)}
    <form method="post" action="/account/password">
      <label for="current">${say(words, 'account.current')}</label
      ><input
        id="current"
        name="current"
        type="password"
        autocomplete="current-password"
        required
      />${newPassword(words, 'next', 'account.new')}<button>${say(words, 'account.doChange')}</button>
    </form>`;
  const admin = html`<p>
    <a href="/account/users">${say(words, 'account.users')}</a>
    <a href="/account/sessions">${say(words, 'account.sessions')}</a>
    <a href="/account/tokens">${say(words, 'account.tokens')}</a>
  </p>`;
  return page(
    words,
    say(words, 'signIn.account'),
    html`<p><a href="/">${say(words, 'account.back')}</a></p>
      <p>${user.name} <span class="soft">(${user.id})</span>: ${user.roles.join(', ')}</p>
      ${user.roles.includes('admin') ? admin : null}
      <form method="post" action="/sign-out" class="inline"><button>${say(words, 'signIn.out')}</button></form>
      ${user.kind === 'local' ? change : null}${languageLinks('/account')}`,
  );
}

export interface ListedUser {
  readonly username: string;
  readonly displayName: string;
  readonly roles: readonly string[];
}

export function usersPage(words: Words, users: readonly ListedUser[], problem: string | null): string {
  const row = ({ username, displayName, roles }: ListedUser) =>
    html`<tr>
      <td>${username}</td>
      <td>${displayName}</td>
      <td>
        <form method="post" action="/account/users/${username}/roles" class="inline">
          ${roleBoxes(username, roles)}<button>${say(words, 'account.setRoles')}</button>
        </form>
      </td>
      <td>
        <form method="post" action="/account/users/${username}/password" class="inline">
          ${newPassword(words, `password-${username}`, 'account.new')}<button>
            ${say(words, 'account.setPassword')}
          </button>
        </form>
      </td>
      <td>
        <form method="post" action="/account/users/${username}/remove" class="inline">
          <button>${say(words, 'account.remove')}</button>
        </form>
      </td>
    </tr>`;
  const add = html`<h2>${say(words, 'account.newAccount')}</h2>
    <form method="post" action="/account/users">
      ${field('username', say(words, 'signIn.account'), 'off')}${field(
        'displayName',
        say(words, 'signIn.name'),
        'off',
      )}${newPassword(words, 'password', 'signIn.password')}
      <p>${roleBoxes('new', [])}</p>
      <button>${say(words, 'account.add')}</button>
    </form>`;
  const heads = ['signIn.account', 'signIn.name', 'account.roles', 'signIn.password', 'account.remove'] as const;
  return page(
    words,
    say(words, 'account.users'),
    html`${toAccount(words)}
    ${problemText(words, problem)}${table(
      heads.map((head) => say(words, head)),
      users.map(row),
    )}${add}`,
    true,
  );
}

/** Users with a session, of local accounts or of the provider. */
export function sessionsPage(words: Words, users: readonly SignedInUser[], problem: string | null): string {
  const row = ({ userId, displayName, sessions, seenAt }: SignedInUser) =>
    html`<tr>
      <td>${displayName} <span class="soft">(${userId})</span></td>
      <td>${sessions}</td>
      <td>${time(words, seenAt)}</td>
      <td>
        <form method="post" action="/account/sessions/${encodeURIComponent(userId)}/end" class="inline">
          <button>${say(words, 'account.end')}</button>
        </form>
      </td>
    </tr>`;
  const heads = ['account.user', 'account.sessions', 'account.lastUsed', 'account.end'] as const;
  return page(
    words,
    say(words, 'account.sessions'),
    html`${toAccount(words)}
      ${problemText(words, problem)}${table(
        heads.map((head) => say(words, head)),
        users.map(row),
      )}
      <p class="soft">${say(words, 'account.sessionsNote')}</p>`,
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

/** `shown`: a token that was just made, visible only this once. */
export function tokensPage(
  words: Words,
  tokens: readonly ListedToken[],
  { shown, problem }: { readonly shown: string | null; readonly problem: string | null },
): string {
  const row = ({ prefix, label, role, createdBy, createdAt, usedAt, expiresAt }: ListedToken) =>
    html`<tr>
      <td>${prefix}</td>
      <td>${label}</td>
      <td>${role}</td>
      <td>${createdBy}, ${time(words, createdAt)}</td>
      <td>${time(words, usedAt)}</td>
      <td>${time(words, expiresAt, 'account.noEnd')}</td>
      <td>
        <form method="post" action="/account/tokens/${prefix}/revoke" class="inline">
          <button>${say(words, 'account.revoke')}</button>
        </form>
      </td>
    </tr>`;
  const made =
    shown === null
      ? null
      : html`<div class="card" role="status">
          <p>${say(words, 'account.newTokenShown')}</p>
          <p><code>${shown}</code></p>
        </div>`;
  const heads = [
    'signIn.token',
    'account.for',
    'account.role',
    'account.madeBy',
    'account.lastUsed',
    'account.validUntil',
    'account.revoke',
  ] as const;
  return page(
    words,
    say(words, 'account.tokens'),
    html`${toAccount(words)}
      ${problemText(words, problem)}${made}${table(
        heads.map((head) => say(words, head)),
        tokens.map(row),
      )}
      <p class="soft">${say(words, 'account.tokensNote')}</p>
      ${tokenForm(words)}`,
    true,
  );
}

function tokenForm(words: Words): Html {
  return html`<h2>${say(words, 'account.newToken')}</h2>
    <form method="post" action="/account/tokens">
      ${field('label', say(words, 'account.for'), 'off')}<label for="role">${say(words, 'account.role')}</label
      ><select id="role" name="role">
        ${ROLES.map((role) => html`<option${role === 'metrics' ? html` selected` : null}>${role}</option>`)}</select
      ><label for="days">${say(words, 'account.days')}</label
      ><input
        id="days"
        name="days"
        type="number"
        min="1"
        max="${MAX_TOKEN_DAYS}"
        value="${TOKEN_DAYS}"
        required
      /><button>${say(words, 'account.makeToken')}</button>
    </form>`;
}

export function refusalPage(
  words: Words,
  { status, text, backLink }: { readonly status: number; readonly text: string; readonly backLink: boolean },
): string {
  return page(
    words,
    say(words, status === 403 ? 'account.notAllowed' : 'account.notPossible'),
    html`<p role="alert">${text}</p>
      ${backLink ? toAccount(words) : null}`,
  );
}
