import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import { createLog } from '../../src/base/log';
import { deriveUid } from '../../src/dicom/uid';
import { openDatabase } from '../../src/worklist/database';
import { risStore } from '../../src/worklist/ris-store';
import { Worklist } from '../../src/worklist/worklist';
import { recordingLog } from '../support/records/logs';
import { studyRecord } from '../support/records/study-record';
import type { Postgres } from '../support/servers/postgres';
import { Servers } from '../support/servers/servers';
import { accountTests } from '../support/suites/accounts.suite';
import { databaseTests } from '../support/suites/database.suite';
import { habitTests } from '../support/suites/habits.suite';
import { listQueryTests } from '../support/suites/list-queries.suite';
import { priorTests } from '../support/suites/priors.suite';
import { retentionTests } from '../support/suites/retention.suite';
import { turnaroundTests } from '../support/suites/turnaround.suite';
import { versionTests } from '../support/suites/versions.suite';
import { workStateTests } from '../support/suites/work-state.suite';
import { worklistTests } from '../support/suites/worklist.suite';

const servers = new Servers();
const LOG = createLog('silent');
let postgres: Postgres;
let count = 0;

beforeAll(async () => {
  postgres = await servers.postgres();
}, 120_000);
afterAll(() => servers.stop());

const create = () => postgres.database(`list${count++}`);

describe('the reading list on PostgreSQL', () => {
  worklistTests(async () => openDatabase(await create(), LOG));
});

describe('earlier studies of a patient, on PostgreSQL', () => {
  priorTests(async () => openDatabase(await create(), LOG));
});

describe('pages, searches and counts on PostgreSQL', () => {
  listQueryTests(create);
});

describe('what is read and by whom, on PostgreSQL', () => {
  workStateTests(create, (url, migrations) => openDatabase(url, LOG, migrations));
});

describe('saved views, open pages and since when a study is urgent, on PostgreSQL', () => {
  habitTests(async () => openDatabase(await create(), LOG));
});

describe('turnaround, on PostgreSQL', () => {
  turnaroundTests(create, (url, migrations) => openDatabase(url, LOG, migrations));
});

describe('what is kept no longer, on PostgreSQL', () => {
  retentionTests(async () => openDatabase(await create(), LOG));
});

describe('accounts, on PostgreSQL', () => {
  accountTests(async () => openDatabase(await create(), LOG));
});

describe('versions side by side, on PostgreSQL', () => {
  versionTests(create, { takesTurns: false });
});

describe('PostgreSQL as its database', () => {
  databaseTests(create);

  test('a killed server that comes back keeps what was confirmed, and is used again without a restart', async () => {
    await postgres.checkpoint();
    const database = openDatabase(await create(), LOG);
    const list = new Worklist(database);
    await list.advance(deriveUid(['before']), { kind: 'waiting', priority: null });
    await postgres.kill();
    await expect(list.advance(deriveUid(['away']), { kind: 'waiting', priority: null })).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      lasting: 'transient',
    });
    await postgres.up();
    await list.advance(deriveUid(['after']), { kind: 'waiting', priority: null });
    expect((await list.changesSince(0)).rows.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([
      deriveUid(['before']),
      deriveUid(['after']),
    ]);
    await database.close();
  }, 120_000);

  test('without the right to create pg_trgm the list is searched all the same, and says so', async () => {
    const url = await create();
    const asOwner = async (...statements: string[]) => {
      const client = new Client({ connectionString: url });
      await client.connect();
      for (const statement of statements) await client.query(statement);
      await client.end();
    };
    await asOwner('create role plain login', 'grant all on schema public to plain');
    const opened = async () => {
      const log = recordingLog();
      const database = openDatabase(url.replace('hilum@', 'plain@'), log);
      await database.ready();
      const warned = log.lines.filter(({ fields }) => fields.event === 'list.search-unindexed').length;
      const { rows } = await database.read((db) =>
        sql`select indexname from pg_indexes where indexname like 'list_entry_search%'`.execute(db),
      );
      const list = new Worklist(database);
      if (!(await list.hasResult(studyRecord('a').studyInstanceUid))) await list.record(studyRecord('a'));
      const found = await list.page({ searchPatient: true, order: 'oldest', limit: 5, search: 'uller' });
      await database.close();
      return { warned, indexes: rows.length, found: found.rows.length };
    };
    expect(await opened()).toEqual({ warned: 1, indexes: 0, found: 1 });
    await asOwner('create extension pg_trgm');
    expect(await opened()).toEqual({ warned: 0, indexes: 2, found: 1 });
  });

  test('an identifier of the RIS that no index takes is refused for good, and the next message is taken', async () => {
    const database = openDatabase(await create(), LOG);
    const store = risStore({ database, onChange: () => Promise.resolve() });
    const kept = (id: string) =>
      store.take(
        {
          digest: id.slice(0, 10),
          sentAt: 1,
          changes: [
            {
              kind: 'order-priority',
              order: { accessionNumber: 'A1', patient: [{ id, issuers: [] }] },
              priority: 'urgent',
            },
          ],
        },
        { application: 'RIS', facility: '', address: '10.1.2.3' },
      );
    await expect(kept(randomBytes(9_000).toString('base64'))).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      lasting: 'permanent',
    });
    expect(await kept('P1')).toBe('kept');
    await database.close();
  });

  test('a database that does not exist, and a server that is not there, are away', async () => {
    for (const url of [postgres.url('nobody'), 'postgres://hilum@127.0.0.1:9/x']) {
      const database = openDatabase(url, LOG);
      await expect(database.ready()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE', lasting: 'transient' });
      await database.close();
    }
  });
});
