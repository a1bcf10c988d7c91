import { type Account, openAccounts } from '../../../src/web/access/account-store';
import { openSessions, type Session } from '../../../src/web/access/session-store';
import type { Database } from '../../../src/worklist/database';

const unrecorded = () => Promise.resolve();
const account = (username: string, role: string): Account => ({
  username,
  displayName: username,
  passwordHash: 'old',
  roles: [role],
  createdAt: 1,
  passwordChangedAt: 1,
});
const session: Session = {
  idHash: 'h',
  userId: 'local:ana',
  username: 'ana',
  displayName: 'Ana',
  roles: ['admin'],
  idToken: null,
  createdAt: 5,
  seenAt: 5,
};

/** A change under way: it has done its work, and waits for its audit message. */
function held() {
  let release = () => {};
  const wait = new Promise<void>((done) => (release = done));
  let reach = () => {};
  const reached = new Promise<void>((done) => (reach = done));
  const recorded = () => {
    reach();
    return wait;
  };
  return { recorded, reached, release };
}

/** Long enough for a change that need not wait for another one (milliseconds). */
const SOON_MS = 300;
const soon = () => new Promise((done) => setTimeout(done, SOON_MS));

/** What must hold of accounts on each kind of database. */
export function accountTests(open: () => Promise<Database>): void {
  let database: Database;
  beforeEach(async () => {
    database = await open();
  });
  afterEach(() => database.close());

  test.each(['roles', 'removal'])(
    'of the last two admins, who take each other the right at once, one stays: %s',
    async (how) => {
      const accounts = openAccounts(database);
      for (const name of ['ana', 'ben']) await accounts.add(account(name, 'admin'), unrecorded);
      const end = (name: string, recorded: () => Promise<void>) =>
        how === 'roles' ? accounts.setRoles(name, ['operator'], recorded) : accounts.remove(name, recorded);
      const { recorded, reached, release } = held();
      const first = end('ana', recorded);
      await reached;
      const second = end('ben', unrecorded);
      await soon();
      release();
      expect(await Promise.all([first, second])).toEqual(['done', 'last-admin']);
      expect((await accounts.list()).filter(({ roles }) => roles.includes('admin'))).toHaveLength(1);
    },
  );

  test('no token for the first admin is made while the first admin is', async () => {
    const accounts = openAccounts(database);
    expect(await accounts.offerFirstToken('one', 1, unrecorded)).toBe(true);
    const { recorded, reached, release } = held();
    const first = accounts.addFirstAdmin('one', account('ana', 'admin'), recorded);
    await reached;
    const others = [
      accounts.offerFirstToken('two', 2, unrecorded),
      accounts.addFirstAdmin('one', account('ben', 'admin'), unrecorded),
    ];
    await soon();
    release();
    expect(await Promise.all([first, ...others])).toEqual([true, false, false]);
  });

  test('a password that was right when it was checked begins no session once there is another one', async () => {
    const [accounts, sessions] = [openAccounts(database), openSessions(database)];
    await accounts.add(account('ana', 'admin'), unrecorded);
    const next = { passwordHash: 'new', at: 2, replaces: null };
    const byOld = { passwordHash: 'old' };
    const reset = held();
    const setting = accounts.setPassword('ana', next, reset.recorded);
    await reset.reached;
    const adding = sessions.add(session, byOld);
    await soon();
    reset.release();
    expect([await setting, await adding, await sessions.find('h')]).toEqual(['done', false, null]);
    expect(await accounts.setPassword('ana', { ...next, passwordHash: 'third', replaces: 'old' }, unrecorded)).toBe(
      'replaced',
    );
    await accounts.rehash(account('ana', 'admin'), 'old, in another hash');
    expect((await accounts.find('ana'))?.passwordHash).toBe('new');
  });

  test('a session that begins while another password is set ends with it', async () => {
    const [accounts, sessions] = [openAccounts(database), openSessions(database)];
    await accounts.add(account('ana', 'admin'), unrecorded);
    const begin = held();
    const adding = sessions.add(session, { passwordHash: 'old', recorded: begin.recorded });
    await begin.reached;
    const setting = accounts.setPassword('ana', { passwordHash: 'new', at: 2, replaces: null }, unrecorded);
    await soon();
    begin.release();
    expect([await adding, await setting, await sessions.find('h')]).toEqual([true, 'done', null]);
  });
}
