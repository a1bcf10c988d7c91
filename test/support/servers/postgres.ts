import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../../scripts/lib/servers.cjs';

const DEBIAN = '/usr/lib/postgresql';

/** A PostgreSQL of Debian's package, its cluster in `dir`, on a free port of loopback. */
export class Postgres {
  private child: ChildProcess | null = null;

  private constructor(
    private readonly dir: string,
    private readonly port: number,
  ) {}

  static async start(dir: string): Promise<Postgres> {
    const server = new Postgres(dir, await freePort());
    const data = join(dir, 'data');
    mkdirSync(data, { mode: 0o700 });
    const { uid, gid } = user();
    if (uid !== undefined) for (const path of [dir, data]) chownSync(path, uid, gid);
    execFileSync(
      binary('initdb'),
      ['-D', data, '-U', 'hilum', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
      { uid, gid, cwd: dir, stdio: 'ignore' },
    );
    await server.up();
    return server;
  }

  /** Starts it again after {@link kill}. */
  async up(): Promise<void> {
    const { uid, gid } = user();
    const options = [
      `port=${this.port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=50',
      'recovery_init_sync_method=syncfs',
    ];
    this.child = spawn(
      binary('postgres'),
      ['-D', join(this.dir, 'data'), ...options.flatMap((option) => ['-c', option])],
      { uid, gid, cwd: this.dir, stdio: 'ignore' },
    );
    for (const end = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
      if (
        await this.sql('select 1').then(
          () => true,
          () => false,
        )
      )
        return;
      if (Date.now() > end || this.child.exitCode !== null) throw new Error('PostgreSQL did not start');
    }
  }

  url(database = 'postgres'): string {
    return `postgres://hilum@127.0.0.1:${this.port}/${database}`;
  }

  /** An empty database and its URL. */
  async database(name: string): Promise<string> {
    await this.sql(`create database ${name}`);
    return this.url(name);
  }

  /** What was written so far is not replayed at the next start: after many tests that takes a minute. */
  async checkpoint(): Promise<void> {
    await this.sql('checkpoint');
  }

  /** SIGKILL: as a power cut to the server. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGINT');
  }

  private async sql(text: string): Promise<void> {
    const client = new Client({ connectionString: this.url(), connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(text);
    } finally {
      await client.end().catch(() => {});
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

/** PostgreSQL refuses to run as root: then the package's own account. */
function user(): { uid: number | undefined; gid: number } {
  if (process.getuid!() !== 0) return { uid: undefined, gid: process.getgid!() };
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function binary(name: string): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(DEBIAN, version, 'bin', name)).find(existsSync);
  if (found === undefined) throw new Error(`no ${name}: install the package postgresql (npm run setup -- servers)`);
  return found;
}
