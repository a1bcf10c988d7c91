import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** What a start can fail at: a port that is taken, and a broker that takes connections and says nothing. */
export class StartSite {
  private constructor(
    readonly dir: string,
    readonly taken: Server,
    private readonly broker: Server,
    /** At the broker: what does not let go of it stays alive. */
    readonly connections: Socket[],
  ) {}

  static async open(): Promise<StartSite> {
    const connections: Socket[] = [];
    const listening = (server: Server) =>
      new Promise<Server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    const taken = await listening(createServer());
    const broker = await listening(createServer((socket) => void connections.push(socket)));
    return new StartSite(mkdtempSync(join(tmpdir(), 'hilum-start-')), taken, broker, connections);
  }

  settings(port: number, more: object = {}) {
    return {
      roles: ['list', 'sinks'],
      archive: { url: 'http://127.0.0.1:9/dicom-web' },
      broker: { url: `amqp://127.0.0.1:${portOf(this.broker)}` },
      http: { port },
      state: { dir: this.dir },
      list: { enabled: true },
      ...more,
    };
  }

  close(): void {
    for (const socket of this.connections) socket.destroy();
    this.taken.close();
    this.broker.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
