/** What of the service's secrets an answer may hold. */
export const GROUPS = ['patients', 'pictures', 'accounts', 'operation', 'metrics'] as const;
export type Group = (typeof GROUPS)[number];

export type Asker = 'nobody' | 'radiologist' | 'operator' | 'admin' | 'metrics';

export interface RouteRow {
  /** As `routesOf` names it. */
  readonly route: string;
  /** What is asked for; `{study}`, `{film}` and `{letter}` stand for those that there are. */
  readonly path: string;
  readonly rule: string;
  /** The answer to those who may; 200 is left out. */
  readonly status?: number;
  /** Where it is another one to whoever has signed in. */
  readonly signedInStatus?: number;
  readonly body?: object;
  /** What each sees beside what everybody may know; who is not named sees nothing. */
  readonly shows?: Partial<Readonly<Record<Asker, readonly Group[]>>>;
}

const API = '/api/v1';
const STUDY = `${API}/studies/{study}`;
const FILM = `${STUDY}/films/{film}`;
const LETTERS = `${API}/operators/dead-letters`;
const READERS = 'radiologist or operator';

const TO_READERS = { radiologist: ['patients'], admin: ['patients'] } as const;
const PICTURES = { radiologist: ['pictures'], admin: ['pictures'] } as const;
const ACCOUNTS = { admin: ['accounts'] } as const;
const OPERATION = { operator: ['operation'], admin: ['operation'] } as const;

/**
 * Every route of the service, who may use it and what it shows to whom. A route without a row fails the audit: whoever
 * adds one says here what it gives away. Rows that change something ask for what is not there, or are harmless.
 */
export const ROUTE_ROWS: readonly RouteRow[] = [
  { route: 'GET /sign-in.css', path: '/sign-in.css', rule: 'open' },
  { route: 'GET /favicon.ico', path: '/favicon.ico', rule: 'open', status: 204 },
  { route: 'GET /sign-in', path: '/sign-in', rule: 'open', signedInStatus: 303 },
  {
    route: 'POST /sign-in',
    path: '/sign-in',
    rule: 'open',
    status: 401,
    body: { username: 'none', password: 'wrong' },
  },
  { route: 'GET /first-admin', path: '/first-admin', rule: 'open', status: 303 },
  { route: 'POST /first-admin', path: '/first-admin', rule: 'open', status: 403, body: { token: 'wrong' } },
  { route: 'GET /sign-in/oidc', path: '/sign-in/oidc', rule: 'open', status: 503 },
  { route: 'GET /sign-in/callback', path: '/sign-in/callback', rule: 'open', status: 403 },
  { route: 'GET /account', path: '/account', rule: 'signed-in' },
  { route: 'POST /account/password', path: '/account/password', rule: 'signed-in', status: 400 },
  { route: 'GET /account/users', path: '/account/users', rule: 'admin', shows: ACCOUNTS },
  { route: 'POST /account/users', path: '/account/users', rule: 'admin', status: 400, shows: ACCOUNTS },
  {
    route: 'POST /account/users/:username/roles',
    path: '/account/users/none/roles',
    rule: 'admin',
    status: 400,
    shows: ACCOUNTS,
  },
  {
    route: 'POST /account/users/:username/password',
    path: '/account/users/none/password',
    rule: 'admin',
    status: 400,
    shows: ACCOUNTS,
  },
  {
    route: 'POST /account/users/:username/remove',
    path: '/account/users/none/remove',
    rule: 'admin',
    status: 400,
    shows: ACCOUNTS,
  },
  { route: 'GET /account/sessions', path: '/account/sessions', rule: 'admin', shows: ACCOUNTS },
  {
    route: 'POST /account/sessions/:user/end',
    path: '/account/sessions/none/end',
    rule: 'admin',
    status: 400,
    shows: ACCOUNTS,
  },
  { route: 'GET /account/tokens', path: '/account/tokens', rule: 'admin', shows: ACCOUNTS },
  { route: 'POST /account/tokens', path: '/account/tokens', rule: 'admin', status: 400, shows: ACCOUNTS },
  {
    route: 'POST /account/tokens/:prefix/revoke',
    path: '/account/tokens/none/revoke',
    rule: 'admin',
    status: 400,
    shows: ACCOUNTS,
  },
  { route: 'GET /health/live', path: '/health/live', rule: 'open' },
  {
    route: 'GET /health/ready',
    path: '/health/ready',
    rule: 'open',
    status: 503,
    shows: { ...OPERATION, metrics: ['operation'] },
  },
  {
    route: 'GET /metrics',
    path: '/metrics',
    rule: 'metrics or operator',
    shows: { metrics: ['metrics'], operator: ['metrics'], admin: ['metrics'] },
  },
  { route: 'GET /session', path: `${API}/session`, rule: 'signed-in' },
  { route: 'GET /studies', path: `${API}/studies`, rule: READERS, shows: TO_READERS },
  { route: 'GET /studies/count', path: `${API}/studies/count`, rule: READERS },
  { route: 'GET /studies/:study', path: STUDY, rule: READERS, shows: TO_READERS },
  { route: 'GET /studies/:study/priors', path: `${STUDY}/priors`, rule: 'radiologist' },
  {
    route: 'POST /studies/:study/verdict',
    path: `${STUDY}/verdict`,
    rule: 'radiologist',
    status: 201,
    body: { verdict: 'disagree' },
    shows: TO_READERS,
  },
  {
    route: 'POST /studies/:study/priority',
    path: `${STUDY}/priority`,
    rule: 'radiologist',
    body: { priority: 'urgent' },
  },
  { route: 'GET /work', path: `${API}/work`, rule: READERS },
  { route: 'POST /studies/:study/claim', path: `${STUDY}/claim`, rule: 'radiologist', body: {} },
  { route: 'DELETE /studies/:study/claim', path: `${STUDY}/claim`, rule: 'radiologist' },
  { route: 'POST /studies/:study/read', path: `${STUDY}/read`, rule: 'radiologist', body: { read: false } },
  {
    route: 'POST /studies/:study/open',
    path: `${STUDY}/open`,
    rule: 'radiologist',
    body: { page: 'page-of-the-audit' },
  },
  {
    route: 'DELETE /studies/:study/open/:page',
    path: `${STUDY}/open/page-of-the-audit`,
    rule: 'radiologist',
  },
  { route: 'GET /views', path: `${API}/views`, rule: READERS },
  {
    route: 'POST /views',
    path: `${API}/views`,
    rule: READERS,
    status: 201,
    body: { name: 'audit', view: { work: 'all', order: 'oldest' } },
  },
  { route: 'DELETE /views/:view', path: `${API}/views/none`, rule: READERS, status: 404 },
  { route: 'GET /agreement', path: `${API}/agreement`, rule: READERS },
  { route: 'GET /verdicts.csv', path: `${API}/verdicts.csv`, rule: 'radiologist' },
  { route: 'GET /studies/:study/films/:film/picture', path: `${FILM}/picture`, rule: 'radiologist', shows: PICTURES },
  { route: 'GET /studies/:study/films/:film/heat-map', path: `${FILM}/heat-map`, rule: 'radiologist', shows: PICTURES },
  { route: 'GET /studies/:study/films/:film/report', path: `${FILM}/report`, rule: 'radiologist' },
  { route: 'GET /live', path: `${API}/live?since=0`, rule: READERS, shows: TO_READERS },
  { route: 'GET /models/:id/card', path: `${API}/models/covid-vgg19-lungs/card`, rule: 'signed-in' },
  { route: 'GET /operators/overview', path: `${API}/operators/overview`, rule: 'operator', shows: OPERATION },
  { route: 'GET /operators/turnaround', path: `${API}/operators/turnaround`, rule: 'operator' },
  { route: 'GET /operators/turnaround.csv', path: `${API}/operators/turnaround.csv`, rule: 'operator' },
  { route: 'GET /operators/installation', path: `${API}/operators/installation`, rule: 'operator' },
  { route: 'GET /docs/:name', path: `${API}/docs/operations`, rule: 'signed-in' },
  { route: 'GET /operators/dead-letters', path: LETTERS, rule: 'operator', shows: OPERATION },
  {
    route: 'POST /operators/dead-letters/:letter/replay',
    path: `${LETTERS}/none/replay`,
    rule: 'operator',
    status: 404,
  },
  { route: 'POST /operators/dead-letters/:letter/drop', path: `${LETTERS}/none/drop`, rule: 'operator', status: 404 },
  { route: 'POST /operators/dead-letters/replay-all', path: `${LETTERS}/replay-all`, rule: 'operator' },
  { route: 'GET /,/study/:study,/operators', path: '/study/{study}', rule: 'signed-in' },
  { route: 'GET /ui/:name', path: '/ui/main.js', rule: 'signed-in' },
  // The last one: it ends the session that asks.
  { route: 'POST /sign-out', path: '/sign-out', rule: 'open', status: 303 },
];
