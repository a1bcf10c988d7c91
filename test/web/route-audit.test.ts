import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openAccess } from '../../src/app/access';
import { parseConfig } from '../../src/config/config';
import type { Rule } from '../../src/web/access/user';
import { type Answer, Browser } from '../support/web/access-site';
import { ListSite } from '../support/web/list-site';
import { type Asker, type Group, GROUPS, ROUTE_ROWS, type RouteRow } from '../support/web/route-rows';
import { routesOf } from '../support/web/routes';

/**
 * An audit as an attacker would make it, from the table of the routes itself: each route, asked by everybody there is,
 * with sessions and tokens, answers only those who may use it and holds nothing that is not for them.
 */
const PASSWORD = 'a long enough secret';
const SECRETS: Readonly<Record<Exclude<Group, 'pictures'>, readonly string[]>> = {
  patients: [
    ...['Secretfamily', 'PID-OF-SOMEBODY', 'ACC-OF-SOMEBODY', '1951-02-03', '19510203'],
    ...['"verdict":"disagree"', 'NOTE-OF-A-VERDICT'],
  ],
  accounts: ['Quintus Otherwise', 'label of another'],
  operation: ['REASON-OF-A-LETTER', 'it is away'],
  metrics: ['hilum_up'],
};

interface Identity {
  readonly name: string;
  readonly asker: Asker;
  readonly headers: Readonly<Record<string, string>>;
}

let site: ListSite;
let dir: string;
let identities: Identity[];
let names: Readonly<Record<string, string>>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hilum-route-audit-'));
  // Behind a proxy: others reach the service, so that health and metrics say no more than they should.
  const config = parseConfig({
    archive: { url: 'http://localhost/dicom-web' },
    broker: { url: 'amqp://localhost' },
    state: { dir },
    http: { port: 0, trustedProxies: ['127.0.0.1'], publicUrl: 'https://hilum.example' },
    access: {
      kind: 'both',
      requestsPerMinute: 10_000,
      oidc: { issuer: 'http://127.0.0.1:1', clientId: 'x', roles: { radiologist: ['readers'] } },
    },
  });
  site = await ListSite.open({ behind: (database, log) => openAccess(config, log, database) });
  const patient = { PatientID: 'PID-OF-SOMEBODY', PatientName: 'Secretfamily^Given', PatientBirthDate: '19510203' };
  const record = await site.analysed(
    { seed: 7 },
    { probability: 0.9 },
    { patient: { ...patient, AccessionNumber: 'ACC-OF-SOMEBODY' } },
  );
  await site.worklist.verdict(record.studyInstanceUid, {
    verdict: 'disagree',
    note: 'NOTE-OF-A-VERDICT',
    by: { id: 'local:rita', name: 'Rita' },
  });
  site.letters = [
    {
      id: 'letter',
      queue: 'study',
      studyInstanceUid: '1.2',
      reason: 'REASON-OF-A-LETTER',
      diedAt: null,
      attempts: [],
      lost: 0,
    },
  ];
  names = { study: record.studyInstanceUid, film: record.films[0]!.sopInstanceUid };
  identities = await makeIdentities();
}, 120_000);

afterAll(async () => {
  await site.close();
  rmSync(dir, { recursive: true, force: true });
});

/** By the pages, as people make accounts and tokens. */
async function makeIdentities(): Promise<Identity[]> {
  const token = String(site.log.lines.find(({ fields }) => fields.event === 'access.first-token')!.fields['token']);
  const admin = new Browser();
  const made = await admin.post(`${site.url}/first-admin`, {
    token,
    username: 'root',
    displayName: 'Root',
    password: PASSWORD,
  });
  expect(made.status).toBe(303);
  await signIn(admin, 'root');
  for (const [username, displayName, role] of [
    ['rita', 'Rita', 'radiologist'],
    ['otto', 'Otto', 'operator'],
    ['quintus', 'Quintus Otherwise', 'operator'],
  ] as const)
    await admin.post(`${site.url}/account/users`, { username, displayName, password: PASSWORD, roles: [role] });
  await signIn(new Browser(), 'quintus');
  const tokenOf = async (role: string, label = `${role} token`) => {
    const { text } = await admin.post(`${site.url}/account/tokens`, { label, role, days: '30' });
    return /hilum_[0-9a-f]{12}_[\w-]{43}/.exec(text)![0];
  };
  const revoked = await tokenOf('radiologist', 'label of another');
  const prefix = revoked.split('_')[1]!;
  const bearer = (text: string) => ({ Authorization: `Bearer ${text}` });
  const identityOf = async (asker: Asker, username: string) => ({
    name: `${asker} by session`,
    asker,
    headers: { Cookie: cookieOf(await signIn(new Browser(), username)) },
  });
  const all = [
    { name: 'nobody', asker: 'nobody' as const, headers: {} },
    { name: 'a made-up session', asker: 'nobody' as const, headers: { Cookie: `__Host-hilum=${'x'.repeat(43)}` } },
    await identityOf('radiologist', 'rita'),
    await identityOf('operator', 'otto'),
    { name: 'admin by session', asker: 'admin' as const, headers: { Cookie: cookieOf(admin) } },
    { name: 'radiologist by token', asker: 'radiologist' as const, headers: bearer(await tokenOf('radiologist')) },
    { name: 'operator by token', asker: 'operator' as const, headers: bearer(await tokenOf('operator')) },
    { name: 'metrics by token', asker: 'metrics' as const, headers: bearer(await tokenOf('metrics')) },
    { name: 'a revoked token', asker: 'nobody' as const, headers: bearer(revoked) },
  ];
  await tokenOf('metrics', 'label of another');
  await admin.post(`${site.url}/account/tokens/${prefix}/revoke`, {});
  return all;
}

async function signIn(browser: Browser, username: string): Promise<Browser> {
  expect((await browser.post(`${site.url}/sign-in`, { username, password: PASSWORD })).status).toBe(303);
  return browser;
}

const cookieOf = (browser: Browser) =>
  [...browser.cookies.get(site.url)!].map(([name, value]) => `${name}=${value}`).join('; ');

/** A stream is read for this long (milliseconds). */
const STREAM_MS = 400;

/** A whole answer, or of a stream what comes at first. */
function ask(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer> {
  return new Promise((done, fail) => {
    const asked = request(`${site.url}${path}`, { method, headers, agent: false }, (response) => {
      let text = '';
      const end = () => done({ status: response.statusCode!, headers: response.headers, text });
      response.setEncoding('latin1').on('data', (part: string) => (text += part));
      response.on('end', end);
      if (response.headers['content-type'] === 'text/event-stream')
        setTimeout(() => (end(), asked.destroy()), STREAM_MS);
    });
    asked.on('error', fail);
    asked.end(body);
  });
}

const pathOf = ({ path }: RouteRow) => path.replace(/\{(\w+)\}/g, (_all, name: string) => names[name]!);
const methodOf = ({ route }: RouteRow) => route.split(' ')[0]!;

/** A request as a page of the service, or a machine, makes it. */
function askRow(row: RouteRow, { headers }: Identity, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const isForm = !row.path.startsWith('/api/');
  const text = isForm
    ? new URLSearchParams((row.body ?? {}) as Record<string, string>).toString()
    : JSON.stringify(row.body ?? {});
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  const isPost = methodOf(row) === 'POST';
  return ask(
    methodOf(row),
    pathOf(row),
    {
      Accept: 'application/json',
      'Sec-Fetch-Site': 'same-origin',
      ...(isPost ? { 'Content-Type': type, 'Content-Length': String(text.length) } : {}),
      ...headers,
      ...more,
    },
    isPost ? text : undefined,
  );
}

function seenIn({ headers, text }: Answer): Group[] {
  const all = JSON.stringify(headers) + text;
  return GROUPS.filter((group) =>
    group === 'pictures'
      ? String(headers['content-type']).startsWith('image/')
      : SECRETS[group].some((secret) => all.includes(secret)),
  );
}

function mayUse({ rule }: RouteRow, { asker, name }: Identity): boolean {
  // A token that is wrong is told so everywhere, and not taken for nobody.
  if (name === 'a revoked token') return false;
  if (rule === 'open') return true;
  if (asker === 'nobody') return false;
  return rule === 'signed-in' || asker === 'admin' || rule.split(' or ').includes(asker);
}

const statusOf = ({ status = 200, signedInStatus = status }: RouteRow, { asker }: Identity) =>
  asker === 'nobody' ? status : signedInStatus;

const inWords = (rule: Rule | null) =>
  rule === null ? 'NO RULE' : typeof rule === 'string' ? rule : rule.join(' or ');

test('each route of the service has its row, and each row its route and its rule', () => {
  const found = routesOf(site.app).map(({ route, rule }) => `${route}: ${inWords(rule)}`);
  expect(found.sort()).toEqual(ROUTE_ROWS.map(({ route, rule }) => `${route}: ${rule}`).sort());
});

test('docs/security.md has each route with its rule', () => {
  const page = readFileSync(resolve(__dirname, '../../docs/security.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `((?:GET|POST|DELETE) [^`]+)` \| ([^|]+) \|/gm)].map(
    ([, route, rule]) => `${route}: ${rule!.trim()}`,
  );
  const documented = ROUTE_ROWS.flatMap(({ route, path, rule }) => {
    const [method = '', paths = ''] = route.split(' ');
    return paths.split(',').map((one) => `${method} ${path.startsWith('/api/') ? '/api/v1' : ''}${one}: ${rule}`);
  });
  // Open on loopback, where the table has it; this service is reached by others.
  const elsewhere = documented.map((row) => row.replace(/^(GET \/metrics): .*/, '$1: open'));
  expect(rows.sort()).toEqual(elsewhere.sort());
});

/** Of every kind that was tried: ends of strings, paths, SQL, what is too long. */
const HOSTILE = ['%00', '%E0%A4%A', '..%2f..%2f..%2fetc%2fpasswd', "'%20or%201=1--", 'x'.repeat(2_000)];
const STACK = /\n\s+at |node_modules|\.[jt]s:\d+/;

test('no other site changes anything in the name of who is signed in', async () => {
  const sessions = identities.filter(({ headers }) => 'Cookie' in headers);
  expect(sessions.length).toBeGreaterThan(3);
  const wrong: unknown[] = [];
  for (const row of ROUTE_ROWS.filter((one) => methodOf(one) !== 'GET'))
    for (const identity of sessions)
      for (const site of ['cross-site', 'same-site', 'none']) {
        const { status } = await askRow(row, identity, { 'Sec-Fetch-Site': site });
        if (![401, 403].includes(status)) wrong.push({ route: row.route, by: identity.name, site, status });
      }
  expect(wrong).toEqual([]);
}, 120_000);

test('what nobody should send is answered 4xx, without a word of how the service is made', async () => {
  const askers = identities.filter(({ name }) => / by token$|nobody/.test(name));
  const wrong: unknown[] = [];
  for (const row of ROUTE_ROWS.filter(({ route }) => route.includes(':')))
    for (const value of HOSTILE)
      for (const { name, headers } of askers) {
        const pattern = row.route.split(/[ ,]/).find((part) => part.includes(':'))!;
        const path = `${row.path.startsWith('/api/') ? '/api/v1' : ''}${pattern}`;
        const answer = await ask(methodOf(row), path.replace(/:\w+/g, value), {
          Accept: 'application/json',
          ...headers,
        });
        const isWrong = answer.status >= 500 || STACK.test(answer.text) || seenIn(answer).length > 0;
        if (isWrong) wrong.push({ route: row.route, by: name, value: value.slice(0, 30), status: answer.status });
      }
  expect(wrong).toEqual([]);
}, 120_000);

test('each route, asked by everybody: whoever may gets an answer, and sees only what the role allows', async () => {
  const wrong: unknown[] = [];
  for (const row of ROUTE_ROWS)
    for (const identity of identities) {
      const answer = await askRow(row, identity);
      const may = mayUse(row, identity);
      const expected = {
        status: may ? statusOf(row, identity) : identity.asker === 'nobody' ? 401 : 403,
        shows: may ? (row.shows?.[identity.asker] ?? []) : [],
      };
      const got = { status: answer.status, shows: seenIn(answer) };
      if (JSON.stringify(got) !== JSON.stringify(expected))
        wrong.push({ route: row.route, by: identity.name, got, expected, text: answer.text.slice(0, 200) });
    }
  expect(wrong).toEqual([]);
}, 120_000);
