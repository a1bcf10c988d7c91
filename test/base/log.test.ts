import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLog, LOG_EVENTS, type LogLevel, prettyLine } from '../../src/base/log';
import { LogStream } from '../../src/base/log-stream';

const ROOT = join(__dirname, '../..');

function captured(level: LogLevel, pretty = false): { log: ReturnType<typeof createLog>; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog(level, pretty, { write: (line) => void lines.push(line) }), lines };
}

test('a line is JSON with level, time, event and the bindings of its log', () => {
  const { log, lines } = captured('info');
  log.child({ study: '1.2.3' }).info({ event: 'study.done', seconds: 1.5 }, 'study done');
  log.debug({ event: 'study.received' }, 'not this one');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'info',
    event: 'study.done',
    study: '1.2.3',
    seconds: 1.5,
    msg: 'study done',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
  });
});

test('for a terminal: time, level, text, fields', () => {
  const { log, lines } = captured('warn', true);
  log.warn({ event: 'study.retry', reason: 'ARCHIVE_TIMEOUT', counts: { films: 2 } }, 'tried again later');
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} warn {2}tried again later event=study\.retry reason=ARCHIVE_TIMEOUT counts=\{"films":2\}\n$/,
  );
  expect(prettyLine('{"level":"info","time":"2026-03-01T10:15:42.000Z","pid":1,"hostname":"h","msg":"x"}')).toBe(
    '10:15:42.000 info  x',
  );
});

test('silent says nothing', () => {
  const { log, lines } = captured('silent');
  log.error({ event: 'study.dead' }, 'x');
  expect(lines).toEqual([]);
});

test('a reader that does not read costs no more than the bound; lines beyond it are counted, and told of later', () => {
  let read: () => void = () => {};
  const taken: string[] = [];
  const slow = new Writable({
    highWaterMark: 10,
    decodeStrings: false,
    write(line: string, _encoding, done) {
      taken.push(line);
      read = done;
    },
  });
  const dropped: number[] = [];
  const stream = new LogStream(slow, ({ lines }) => dropped.push(lines), 100);
  for (let i = 0; i < 50; i++) stream.write(`line ${String(i).padStart(2, '0')}`.padEnd(20, '.'));
  expect([taken.length, slow.writableLength, dropped]).toEqual([1, 100, []]);
  for (let i = 0; i < 5; i++) read();
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    expect([taken.length, dropped]).toEqual([5, [45]]);
    stream.write('again');
    expect(taken.at(-1)).toBe('again');
  });
});

test('a log that nobody reads stops neither the event loop nor SIGTERM', async () => {
  const child = spawn(process.execPath, [join(__dirname, '../support/threads/unread-log.cjs')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  child.stdout.on('data', (data: Buffer) => {
    said.push(data.toString());
    if (String(data) === 'went on\n') child.kill('SIGTERM');
  });
  const [code] = (await once(child, 'exit')) as [number];
  expect([said.join(''), code]).toEqual(['went on\nasked to stop\n', 0]);
}, 60_000);

test('docs/events.md lists every log event and no other', () => {
  const events = readFileSync(join(ROOT, 'docs/events.md'), 'utf8');
  const table = events.slice(events.indexOf('## Log events'));
  expect([...table.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])).toEqual([...LOG_EVENTS]);
});

test('every log event is used', () => {
  const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && name !== join('base', 'log.ts'),
  );
  const text = source.map((name) => readFileSync(join(ROOT, 'src', name), 'utf8')).join('\n');
  expect(
    LOG_EVENTS.filter(
      (event) => !text.includes(`'${event}'`) && !(event.startsWith('film.') && text.includes('`film.${')),
    ),
  ).toEqual([]);
});
