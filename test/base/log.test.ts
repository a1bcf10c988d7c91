import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog, LOG_EVENTS, type LogLevel, prettyLine } from '../../src/base/log';

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
