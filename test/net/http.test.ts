import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { httpClient } from '../../src/net/http';

/** Answers the first request of each connection, and closes the connection when another one comes on it. */
async function oneAnswerPerConnection() {
  const methods: string[] = [];
  const server = net.createServer((socket) => {
    let count = 0;
    socket.on('data', (data) => {
      methods.push(data.toString('latin1').split(' ')[0]!);
      count++;
      if (count === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, methods, [Symbol.asyncDispose]: async () => void (await once(server.close(), 'close')) };
}

async function read(url: string, methods: readonly ('GET' | 'POST')[]): Promise<number[]> {
  const client = httpClient({ connections: 1 });
  const statuses: number[] = [];
  try {
    for (const method of methods)
      statuses.push(
        await client.send(url, { method, headers: {} }, async ({ status, body }) => {
          for await (const piece of body) expect(piece).not.toHaveLength(0);
          return status;
        }),
      );
  } finally {
    await client.close();
  }
  return statuses;
}

test('a query on a connection that the server closes is asked once more', async () => {
  await using server = await oneAnswerPerConnection();
  expect(await read(server.url, ['GET', 'GET'])).toEqual([200, 200]);
  expect(server.methods).toEqual(['GET', 'GET', 'GET']);
});

test('a store on such a connection is not repeated: the server may have done it', async () => {
  await using server = await oneAnswerPerConnection();
  await expect(read(server.url, ['GET', 'POST'])).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE', sent: true });
  expect(server.methods).toEqual(['GET', 'POST']);
});
