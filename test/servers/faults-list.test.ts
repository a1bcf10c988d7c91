import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app/app';
import { examineDatabase } from '../../src/app/doctor/database';
import { examineDisk } from '../../src/app/doctor/disk';
import type { CheckResult } from '../../src/base/check-result';
import { createLog } from '../../src/base/log';
import { type Config, parseConfig } from '../../src/config/config';
import { openDatabase } from '../../src/worklist/database';
import { MIGRATIONS } from '../../src/worklist/migrations/index';
import type { Postgres } from '../support/servers/postgres';
import { recordingLog } from '../support/records/logs';
import { Servers, until } from '../support/servers/servers';

/** Faults of a reading list's database and disk, as health, doctor and the log tell them. All else is away. */
const servers = new Servers();
let postgres: Postgres;
let dir: string;

const isRoot = process.getuid?.() === 0;
const rootTest = isRoot ? test : test.skip;
if (!isRoot)
  console.warn('SKIPPED: tests on a full and on a read-only disk, which mount small file systems and so need root');

beforeAll(async () => {
  postgres = await servers.postgres();
}, 120_000);
afterAll(() => servers.stop());
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'hilum-faults-list-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const configOf = (more: object = {}): Config =>
  parseConfig({
    archive: { url: 'http://127.0.0.1:9/dicom-web' },
    broker: { url: 'amqp://127.0.0.1:9' },
    roles: ['list'],
    http: { port: 0 },
    state: { dir },
    list: { enabled: true },
    ...more,
  });

interface Running {
  /** What health says of a check now; null is well. */
  says(check: string): Promise<string | null>;
  /** Log lines of a check, each as its event and problem. */
  told(check: string): (readonly [string, unknown])[];
}

async function running(config: Config, use: (service: Running) => Promise<void>): Promise<void> {
  const log = recordingLog();
  const app = await createApp(config, log);
  const { port } = await app.start();
  try {
    await use({
      says: async (check) => {
        const { checks } = (await (await fetch(`http://127.0.0.1:${port}/health/ready`)).json()) as {
          checks: Record<string, string>;
        };
        return checks[check] === 'ok' ? null : (checks[check] ?? 'there is no such check');
      },
      told: (check) =>
        log.lines
          .filter(({ fields }) => fields['check'] === check)
          .map(({ fields }) => [fields.event, fields['problem']] as const),
    });
  } finally {
    await app.stop();
  }
}

/** Within seconds health names the problem, one log line does, and so does doctor. */
async function expectNamed(service: Running, check: string, problem: RegExp, doctor: () => Promise<CheckResult[]>) {
  await until('health names it', async () => problem.test((await service.says(check)) ?? ''), 20_000);
  await until('the log names it', () => service.told(check).length > 0, 20_000);
  expect(service.told(check)).toEqual([['health.check-failed', expect.stringMatching(problem)]]);
  expect((await doctor()).filter(({ ok }) => !ok).map(({ text }) => text)).toContainEqual(
    expect.stringMatching(problem),
  );
}

async function expectBack(service: Running, check: string) {
  await until('the log tells of its end', () => service.told(check).length === 2, 20_000);
  expect(service.told(check)[1]![0]).toBe('health.check-passed');
  expect(await service.says(check)).toBeNull();
}

test('PostgreSQL is killed and comes back: health, doctor and one log line say so', async () => {
  const config = configOf({ list: { enabled: true, database: await postgres.database('killed') } });
  await running(config, async (service) => {
    await until('it is well', async () => (await service.says('database')) === null);
    await postgres.kill();
    await expectNamed(service, 'database', /^DATABASE_UNREACHABLE: /, () => examineDatabase(config));
    await postgres.up();
    await expectBack(service, 'database');
  });
}, 120_000);

test.each<[string, (url: string) => string, RegExp]>([
  ['another account', (url) => url.replace('hilum@', 'nobody-else@'), /the database refuses the sign-in: .* \(28000\)/],
  ['another name', (url) => `${url}-else`, /the server has no database of this name \(3D000\)/],
])(
  'PostgreSQL under %s: the service starts, and health, doctor and one log line say why',
  async (_, change, problem) => {
    const config = configOf({ list: { enabled: true, database: change(postgres.url()) } });
    await running(config, (service) => expectNamed(service, 'database', problem, () => examineDatabase(config)));
  },
  60_000,
);

const listFile = () => join(dir, 'list.db');
const file = (end = '') => `${listFile()}${end}`;
const REPLACED = /^DATABASE_UNREACHABLE: the database file was deleted or replaced while the service runs/;

test.each<[string, () => void]>([
  ['deleted', () => ['', '-wal', '-shm'].forEach((end) => rmSync(file(end), { force: true }))],
  [
    'replaced by a copy',
    () => {
      copyFileSync(listFile(), join(dir, 'copy'));
      rmSync(listFile());
      copyFileSync(join(dir, 'copy'), listFile());
    },
  ],
])(
  'list.db is %s while the service runs: health and one log line say so, it is not made anew',
  async (_, spoil) => {
    await running(configOf(), async (service) => {
      await until('it is well', async () => (await service.says('database')) === null);
      spoil();
      const before = statSync(listFile(), { throwIfNoEntry: false })?.ino;
      await expectNamed(service, 'database', REPLACED, async () => [
        { check: '', ok: false, text: (await service.says('database'))! },
      ]);
      expect(statSync(listFile(), { throwIfNoEntry: false })?.ino).toBe(before);
    });
  },
  60_000,
);

test('list.db is damaged: health, doctor and one log line say so, also where no statement meets it', async () => {
  const database = openDatabase(`file:${listFile()}`, createLog('silent'));
  await database.ready();
  await database.close();
  const opened = openSync(listFile(), 'r+');
  writeSync(opened, Buffer.alloc(4096, 0x55), 0, 4096, statSync(listFile()).size - 4096);
  closeSync(opened);
  const config = configOf();
  await running(config, (service) =>
    expectNamed(service, 'database', /^DATABASE_INVALID: .*damaged/, () => examineDatabase(config)),
  );
}, 60_000);

test('list.db is of a version of Hilum two ahead: health, doctor and one log line say so', async () => {
  const change = { change: 'contracts', unusedSince: 3 } as const;
  const next = { name: '999-of-tomorrow', release: 4, ...change, up: () => Promise.resolve() };
  const database = openDatabase(`file:${listFile()}`, createLog('silent'), [...MIGRATIONS, next]);
  await database.ready();
  await database.close();
  const config = configOf();
  await running(config, (service) =>
    expectNamed(service, 'database', /version 4 of Hilum \(it has 999-of-tomorrow\)/, () => examineDatabase(config)),
  );
}, 60_000);

/** A small file system in memory at `folder`, unmounted at the end. */
async function onDisk(folder: string, use: () => Promise<void>): Promise<void> {
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
  try {
    await use();
  } finally {
    execFileSync('umount', ['-l', folder]);
  }
}

rootTest(
  'the disk of audit.dir is full: health, doctor and one log line say so, until there is room',
  async () => {
    const folder = join(dir, 'trail');
    const config = configOf({ audit: { dir: folder } });
    await onDisk(folder, () =>
      running(config, async (service) => {
        await until('it is well', async () => (await service.says('audit')) === null);
        const ballast = join(folder, 'ballast');
        expect(() => writeFileSync(ballast, Buffer.alloc(300_000))).toThrow('ENOSPC');
        await expectNamed(service, 'audit', /its disk is full \(ENOSPC\)/, () => examineDisk(config));
        rmSync(ballast);
        await expectBack(service, 'audit');
      }),
    );
  },
  60_000,
);

rootTest(
  'state.dir can not be written to: health, doctor and one log line say so, until it can',
  async () => {
    const folder = join(dir, 'state');
    const config = configOf({ state: { dir: folder }, list: { enabled: true, database: `file:${listFile()}` } });
    await onDisk(folder, () =>
      running(config, async (service) => {
        await until('it is well', async () => (await service.says('state')) === null);
        execFileSync('mount', ['-o', 'remount,ro', folder]);
        await expectNamed(service, 'state', /its disk is read-only \(EROFS\)/, () => examineDisk(config));
        execFileSync('mount', ['-o', 'remount,rw', folder]);
        await expectBack(service, 'state');
      }),
    );
  },
  60_000,
);
