import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type ConnectionLimits, limitConnections, REQUEST_TIMES } from '../../src/web/connections';

const servers: Server[] = [];
const opened: Socket[] = [];
const closeAll = () => opened.splice(0).forEach((socket) => socket.destroy());
afterEach(() => {
  closeAll();
  servers.splice(0).forEach((server) => server.close());
});
const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

async function serve(limits: ConnectionLimits, files: number): Promise<number> {
  const server = createServer(REQUEST_TIMES, (_request, response) => void response.end('here'));
  limitConnections(server, limits, files);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** How many of so many idle connections from an address stay open. */
async function staying(port: number, count: number, localAddress = '127.0.0.1'): Promise<number> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }));
  opened.push(...sockets);
  let gone = 0;
  for (const socket of sockets) socket.on('error', () => {}).on('close', () => (gone += 1));
  await Promise.all(
    sockets.map((socket) => Promise.race([new Promise((done) => socket.once('connect', done)), closed(socket)])),
  );
  // One more: what the server closes, it has closed when this is answered or closed too.
  const last = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
  opened.push(last);
  last.on('error', () => {});
  last.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  last.resume();
  await closed(last);
  return count - gone;
}

test('one address has half of the connections, and others are still served', async () => {
  const port = await serve({ most: 20, isProxied: false }, Infinity);
  expect(await staying(port, 60)).toBe(10);
  expect(await staying(port, 4, '127.0.0.2')).toBe(4);
});

test('all of them have half of the files at most, whatever is configured', async () => {
  const port = await serve({ most: 1_000, isProxied: true }, 64);
  expect(await staying(port, 60)).toBe(32);
});

test('a connection that is closed makes room', async () => {
  const port = await serve({ most: 20, isProxied: false }, Infinity);
  expect(await staying(port, 12)).toBe(10);
  closeAll();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await staying(port, 10)).toBe(10);
});
