import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AuditEvent } from '../../src/web/access/audit-event';
import { messagesOf } from '../../src/web/audit/events';
import { auditXml } from '../../src/web/audit/message';
import { accessSite, type AccessSite, Browser, PASSWORD } from '../support/web/access-site';
import { fill, ListSite, studyOf } from '../support/web/list-site';

const ROOT = resolve(__dirname, '../..');

/** First column of the table of docs/security.md, and the codes that the second names. */
function promised(): Map<string, string[]> {
  const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  const section = page.slice(page.indexOf('## Audit trail'));
  const rows = section.slice(0, section.indexOf('\nA test reads')).matchAll(/^\| (.+?) \| (.+) \|$/gm);
  return new Map(
    [...rows]
      .filter(([, what]) => what !== 'what')
      .map(([, what, message]) => [what!, [...message!.matchAll(/\((\d{6})\)/g)].map(([, code]) => code!)]),
  );
}

let [access, list]: (AccessSite | ListSite)[] = [];
const site = () => access as AccessSite;
const reading = () => list as ListSite;
beforeAll(async () => {
  access = await accessSite({ access: { signInTries: 2 } });
  list = await ListSite.open();
  await reading().analysed({ seed: 1 }, { probability: 0.9 });
}, 60_000);
afterAll(async () => {
  await site().close();
  await reading().close();
});

const signIn = async (username: string, password = PASSWORD) => {
  const browser = new Browser();
  await browser.post(`${site().origin}/sign-in`, { username, password });
  return browser;
};
const add = (username: string, role: string) =>
  site().directory.add({ username, displayName: username, password: PASSWORD, roles: [role] });

/** Messages that the access layer wrote while `work` was done. */
async function written(work: () => Promise<unknown>): Promise<string[]> {
  const before = site().audits().length;
  await work();
  return site().audits().slice(before);
}

/** Messages of what the reading list told while `work` was done. */
async function told(work: () => Promise<unknown>): Promise<string[]> {
  reading().audit.length = 0;
  await work();
  const actor = { id: 'local:test', name: 'test', roles: [], address: undefined };
  return reading().audit.flatMap((event: AuditEvent) =>
    messagesOf(event, actor, { id: 'hilum' }, new Date()).map(auditXml),
  );
}

const detail = `/api/v1/studies/${studyOf(1)}`;
/** Needs a server: the test that has it. */
interface Elsewhere {
  readonly file: string;
  readonly title: string;
}

const PROOFS: Readonly<Record<string, (() => Promise<string[]>) | Elsewhere>> = {
  'start and stop': async () => {
    const other = await accessSite();
    const messages = other.audits();
    await other.access.close();
    messages.push(...other.audits().slice(messages.length));
    expect(messages.filter((xml) => xml.includes('Application Stop'))).toHaveLength(1);
    await other.close();
    return messages;
  },
  "sign-in, sign-out, failed and locked sign-ins; a wrong password at the change of one's own": async () => {
    const messages = await written(async () => {
      await add('one', 'operator');
      const browser = await signIn('one');
      await browser.post(`${site().origin}/account/password`, { current: 'wrong', next: PASSWORD });
      await browser.post(`${site().origin}/sign-out`, {});
      for (let i = 0; i < 3; i++) await signIn('nobody', 'wrong');
    });
    const outcomes = messages.map((xml) => /Outcome\w+="(\d)".*csd-code="11012[23]"/.exec(xml)?.[1]);
    expect(outcomes).toEqual(['0', '4', '0', '4', '4', '8']);
    return messages;
  },
  'the list was asked for or searched': async () => {
    const messages = await told(async () => {
      await reading().get('/api/v1/studies');
      await reading().get('/api/v1/studies/count?search=dreamer');
    });
    expect(messages).toHaveLength(2);
    expect(messages[0]).toContain('ParticipantObjectID="P-77"');
    return messages;
  },
  'live updates': async () => {
    const messages = await told(async () => {
      await fill(reading().worklist, 1);
      const reader = (await reading().get('/api/v1/live?since=0')).body!.getReader();
      for (let text = ''; !text.includes('ACC1');) text += Buffer.from((await reader.read()).value).toString();
      await reader.cancel();
    });
    expect(messages.join('')).toContain('ParticipantObjectID="ID-1"');
    return messages;
  },
  'detail, earlier studies, report, pictures of any size': () =>
    told(async () => {
      const answer = await reading().get(detail);
      const [film] = ((await answer.json()) as { films: Record<'picture' | 'heatMap' | 'report', string>[] }).films;
      for (const path of [`${detail}/priors`, `${film!.picture}?size=96`, `${film!.heatMap}size=96`, film!.report])
        expect((await reading().get(path)).status).toBe(200);
      expect(reading().audit.map(({ kind }) => kind)).toEqual(Array(5).fill('study-read'));
    }),
  'verdicts, urgent marks, claims, marks as read': async () => {
    const messages = await told(async () => {
      await reading().post(`${detail}/verdict`, { verdict: 'agree' });
      await reading().post(`${detail}/priority`, { priority: 'urgent' });
      await reading().post(`${detail}/claim`, {});
      await reading().post(`${detail}/read`, { read: true });
    });
    expect(messages.map((xml) => /EventActionCode="(.)"/.exec(xml)![1])).toEqual(['U', 'U', 'U', 'U']);
    return messages;
  },
  'messages of the RIS: each study on the list that one changes, by whom it was sent': {
    file: 'test/servers/ris.test.ts',
    title: 'sent by another make: acknowledged as it understands it, the list and the audit trail have it',
  },
  '`hilum rebuild`': {
    file: 'test/servers/list-service.test.ts',
    title: 'hilum rebuild makes the same list from the archive alone, in a database of the other kind',
  },
  'a file left: verdicts, the report of `hilum evaluate` with a configuration': () =>
    told(() => reading().get('/api/v1/verdicts.csv')),
  'dead letters replayed or dropped, on the page or by `hilum dead`': async () => {
    const letter = { queue: 'study', reason: 'X', diedAt: null, attempts: [], lost: 0 };
    reading().letters = ['a', 'b', 'c'].map((id) => ({ ...letter, id, studyInstanceUid: `1.2.${id.charCodeAt(0)}` }));
    const messages = await told(async () => {
      await reading().post('/api/v1/operators/dead-letters/a/drop', {}, ['operator']);
      await reading().post('/api/v1/operators/dead-letters/replay-all', {}, ['operator']);
    });
    expect(messages.map((xml) => /StudyIDs UID="([\d.]+)"/.exec(xml)![1])).toEqual(['1.2.97', '1.2.98', '1.2.99']);
    return messages;
  },
  '`hilum evaluate` writes a threshold': {
    file: 'test/servers/evaluate.test.ts',
    title: 'killed in the middle and started again',
  },
  '`hilum backup` and `hilum restore`': {
    file: 'test/servers/backup.test.ts',
    title: 'beside the running service a backup is written, and nothing is restored; once it is stopped, it is',
  },
  'what is [kept no longer](state.md#retention) is removed': {
    file: 'test/app/retention.test.ts',
    title: 'what went is in the audit trail first, in log and metrics; a round without it says nothing',
  },
  'something refused to somebody signed in': async () => {
    await add('two', 'operator');
    const browser = await signIn('two');
    return written(() => browser.go(`${site().origin}/account/users`));
  },
  'accounts, roles, tokens, ended sessions; on the pages, by `hilum users` and `hilum tokens`': async () => {
    await add('boss', 'admin');
    const browser = await signIn('boss');
    return written(async () => {
      const fields = { username: 'new', displayName: '', password: PASSWORD, roles: 'operator' };
      await browser.post(`${site().origin}/account/users`, fields);
      await browser.post(`${site().origin}/account/users/new/remove`, {});
    });
  },
};

test('each row of the table has its proof, and nothing else', () => {
  expect([...promised().keys()].sort()).toEqual(Object.keys(PROOFS).sort());
});

test.each(Object.entries(PROOFS))('%s: the messages that the table names', async (row, proof) => {
  const codes = promised().get(row)!;
  expect(codes.length).toBeGreaterThan(0);
  if (typeof proof !== 'function') {
    expect(existsSync(join(ROOT, proof.file))).toBe(true);
    expect(readFileSync(join(ROOT, proof.file), 'utf8')).toContain(proof.title);
    return;
  }
  const found = (await proof()).flatMap((xml) =>
    [...xml.matchAll(/<Event(?:ID|TypeCode) csd-code="(\d+)"/g)].map(([, code]) => code!),
  );
  expect(codes.filter((code) => !found.includes(code))).toEqual([]);
});
