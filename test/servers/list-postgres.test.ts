import { createLog } from '../../src/base/log';
import { deriveUid } from '../../src/dicom/uid';
import { openDatabase } from '../../src/worklist/database';
import { Worklist } from '../../src/worklist/worklist';
import type { Postgres } from '../support/servers/postgres';
import { Servers } from '../support/servers/servers';
import { databaseTests } from '../support/suites/database.suite';
import { listQueryTests } from '../support/suites/list-queries.suite';
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

describe('pages, searches and counts on PostgreSQL', () => {
  listQueryTests(create);
});

describe('PostgreSQL as its database', () => {
  databaseTests(create);

  test('a killed server that comes back keeps what was confirmed, and is used again without a restart', async () => {
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

  test('a database that does not exist, and a server that is not there, are away', async () => {
    for (const url of [postgres.url('nobody'), 'postgres://hilum@127.0.0.1:9/x']) {
      const database = openDatabase(url, LOG);
      await expect(database.ready()).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE', lasting: 'transient' });
      await database.close();
    }
  });
});
