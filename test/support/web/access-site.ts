import express, { type Express } from 'express';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HilumError } from '../../../src/base/errors';
import type { Log, LogFields } from '../../../src/base/log';
import { type Config, parseConfig } from '../../../src/config/config';
import { type Access, createAccess, protect } from '../../../src/web/access/access';
import { openAccounts } from '../../../src/web/access/account-store';
import { Directory, type NewAccount } from '../../../src/web/access/directory';
import { openSessions } from '../../../src/web/access/session-store';
import { openApiTokens } from '../../../src/web/access/token-store';
import { needs, requiredUser, signedIn } from '../../../src/web/access/user';
import { type AuditRecorder, createRecorder } from '../../../src/web/audit/recorder';
import { AuditTrail } from '../../../src/web/audit/trail';
import { addHealth, listen } from '../../../src/web/health';
import { openDatabase } from '../../../src/worklist/database';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request over HTTP or HTTPS, redirects not followed, any certificate taken. */
export function ask(url: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(
      url,
      {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }) },
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: Buffer.concat(parts).toString('utf8'),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** What of a browser matters here: cookies by origin, the headers it sends by itself, forms. */
export class Browser {
  readonly cookies = new Map<string, Map<string, string>>();

  async go(url: string, options: Asked = {}): Promise<Answer> {
    const { origin } = new URL(url);
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await ask(url, {
      ...options,
      headers: { Accept: 'text/html,*/*', ...(cookie === '' ? {} : { Cookie: cookie }), ...options.headers },
    });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name!);
      else jar.set(name!, value!);
    }
    return answer;
  }

  post(
    url: string,
    fields: Readonly<Record<string, string | readonly string[]>>,
    headers: Readonly<Record<string, string>> = { 'Sec-Fetch-Site': 'same-origin' },
  ): Promise<Answer> {
    const body = new URLSearchParams(
      Object.entries(fields).flatMap(([key, value]) =>
        (typeof value === 'string' ? [value] : value).map((one): [string, string] => [key, one]),
      ),
    );
    return this.go(url, {
      method: 'POST',
      body: body.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    });
  }
}

export interface AccessSite {
  readonly origin: string;
  readonly access: Access;
  readonly app: Express;
  /** Changes without an audit message. */
  readonly directory: QuietDirectory;
  readonly config: Config;
  readonly logged: readonly LogFields[];
  readonly dir: string;
  /** Moves the clock that sessions are measured by (milliseconds). */
  pass(milliseconds: number): void;
  /** From now on no audit message can be written, or can again. */
  loseAudits(areLost: boolean): void;
  /** All rows of the tables that say who may do what. */
  kept(): Promise<unknown>;
  /** The audit messages so far, oldest first. */
  audits(): string[];
  /** How many events the messages with all of these texts stand for: a repeated message counts with its number. */
  told(...texts: readonly string[]): number;
  /** Rows of a table. */
  rows(table: 'session' | 'sign_in'): Promise<number>;
  close(): Promise<void>;
}

/** Changes accounts and tokens without an audit message. */
const quiet = (directory: Directory) => {
  const unrecorded = () => Promise.resolve();
  return {
    list: () => directory.list(),
    listTokens: () => directory.listTokens(),
    add: (account: NewAccount) => directory.add(account, unrecorded),
    setRoles: (username: string, roles: readonly string[]) => directory.setRoles(username, roles, unrecorded),
    remove: (username: string) => directory.remove(username, unrecorded),
    addToken: (label: string, role: string, createdBy: string, days?: number) =>
      directory.addToken({ label, role, createdBy, ...(days === undefined ? {} : { days }) }, unrecorded),
  };
};
type QuietDirectory = ReturnType<typeof quiet>;

/** What an audit message of a Security Alert says: the detail is in base64. */
export function alertOf(xml: string): string {
  const detail = /type="Alert Description" value="([^"]+)"/.exec(xml)?.[1] ?? '';
  return Buffer.from(detail, 'base64').toString('utf8');
}

export const PASSWORD = 'a long enough secret';
const STUDY = { studyInstanceUid: '1.2.3', patientId: 'P<1>', accessionNumber: 'A&1' };

/** The access layer on a port and a database of its own, before some routes as the reading list has them. */
export async function accessSite(
  settings: { access?: object; http?: object; repeatsMs?: number } = {},
): Promise<AccessSite> {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-access-'));
  const config = parseConfig({
    archive: { url: 'http://localhost/dicom-web' },
    broker: { url: 'amqp://localhost' },
    state: { dir },
    http: { port: 0, ...settings.http },
    access: { kind: 'local', ...settings.access },
  });
  const logged: LogFields[] = [];
  const note = (fields: LogFields) => void logged.push(fields);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const database = openDatabase(`file:${join(dir, 'hilum.db')}`, log);
  const stores = {
    accounts: openAccounts(database),
    sessions: openSessions(database),
    tokens: openApiTokens(database),
  };
  let ahead = 0;
  const now = () => Date.now() + ahead;
  let areAuditsLost = false;
  const trail = createRecorder(
    new AuditTrail({ dir: config.audit.dir, maxFileBytes: config.audit.maxFileBytes }, null),
    { id: 'hilum-test' },
    now,
  );
  const recorder: AuditRecorder = {
    ...trail,
    record: (actor, event) =>
      areAuditsLost
        ? Promise.reject(new HilumError('AUDIT_FAILED', 'transient', 'no room'))
        : trail.record(actor, event),
  };
  const access = createAccess({
    http: config.http,
    access: config.access,
    stores: config.access.kind === 'none' ? null : stores,
    recorder,
    log,
    now,
    ...(settings.repeatsMs === undefined ? {} : { repeatsMs: settings.repeatsMs }),
  });
  const app = protect(access, express(), (routes) => {
    addHealth(routes, access, [{ name: 'broker', look: async () => 'secret trouble' }], {
      contentType: 'text/plain',
      text: async () => 'hilum_up 1\n',
    });
    routes.get('/api/studies', needs('radiologist'), async (request, response) => {
      await access.audit(request, { kind: 'query', query: 'Patient=X', studies: [STUDY] });
      response.json({ by: requiredUser(request).id });
    });
    routes.post('/api/verdict', needs('radiologist'), async (request, response) => {
      await access.audit(request, { kind: 'study-updated', studies: [STUDY] });
      response.json({ ok: true });
    });
    routes.get('/api/dead', needs('operator'), (_request, response) => void response.json([]));
    routes.get('/', signedIn, (request, response) => void response.send(`Hello ${requiredUser(request).name}`));
    // A route with a defect, before or after its answer began.
    routes.get('/defect', signedIn, (request, response) => {
      if (request.query['late'] === '1') response.write('a part');
      throw new RangeError('secret of a patient');
    });
    // A route whose author forgot its guard.
    routes.get('/forgotten', (_request, response) => void response.send('open by mistake'));
  });
  const web = await listen(app, config.http.host, 0, config.http.tls);
  await access.begin();
  const audits = () =>
    readdirSync(config.audit.dir)
      .sort()
      .reverse()
      .flatMap((name) => readFileSync(join(config.audit.dir, name), 'utf8').split('\n').filter(Boolean));
  return {
    origin: `${config.http.tls ? 'https' : 'http'}://127.0.0.1:${web.port}`,
    access,
    app,
    directory: quiet(new Directory(stores, now)),
    config,
    logged,
    dir,
    pass: (milliseconds) => void (ahead += milliseconds),
    loseAudits: (areLost) => void (areAuditsLost = areLost),
    kept: () =>
      database.read(async (db) => [
        await db.selectFrom('account').selectAll().orderBy('username').execute(),
        await db.selectFrom('api_token').selectAll().orderBy('prefix').execute(),
        await db.selectFrom('first_token').selectAll().execute(),
      ]),
    audits,
    told: (...texts) =>
      audits()
        .filter((xml) => texts.every((text) => xml.includes(text)))
        .reduce((sum, xml) => sum + Number(/; (\d+) more times/.exec(xml)?.[1] ?? 1), 0),
    rows: (table) => database.read(async (db) => (await db.selectFrom(table).select('id_hash').execute()).length),
    async close() {
      await web.close();
      await access.close();
      await database.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
