import { type DestinationStream, type Logger, pino } from 'pino';
import { z } from 'zod';
import { traceIds } from './trace';
import { type DroppedLines, LogStream, standardError } from './log-stream';

/** Names of all log events: a closed list, documented in docs/events.md; a test compares. */
export const LOG_EVENTS = [
  'service.starting',
  'service.stopping',
  'service.stopped',
  'node.out-of-support',
  'log.lines-dropped',
  'tracing.started',
  'tracing.export-failed',
  'tracing.export-recovered',
  'http.listening',
  'http.certificate-unusable',
  'health.check-failed',
  'health.check-passed',
  'access.first-token',
  'access.unavailable',
  'access.everyone-local',
  'audit.syslog-connected',
  'audit.syslog-lost',
  'audit.syslog-dropped',
  'model.loaded',
  'study.received',
  'study.done',
  'study.nothing-new',
  'study.gone',
  'study.note-unread',
  'study.retry',
  'study.dead',
  'study.returned',
  'study.put-back',
  'film.analysed',
  'film.not-analysed',
  'film.rejected',
  'decoder.lost',
  'analysis.lost',
  'drift.unwritten',
  'delivery.done',
  'delivery.retry',
  'delivery.dead',
  'delivery.put-back',
  'delivery.superseded',
  'delivery.verified',
  'delivery.not-offered',
  'delivery.failing',
  'delivery.recovered',
  'delivery.unnamed-acknowledgement',
  'delivery.late-acknowledgement',
  'triage.decided',
  'triage.undecided',
  'archive.rows-unusable',
  'archive.page-size',
  'catch-up.round',
  'catch-up.waiting',
  'catch-up.failed',
  'catch-up.study-failed',
  'catch-up.search-cut',
  'catch-up.cursor-reset',
  'web.request-failed',
  'web.live-lost',
  'list.database-ready',
  'list.database-newer',
  'list.database-away',
  'list.database-back',
  'list.search-unindexed',
  'retention.removed',
  'retention.failed',
  'list.note-unreadable',
  'list.attributes-corrected',
  'list.correction-announced',
  'list.correction-failed',
  'ris.listening',
  'ris.certificate-unusable',
  'ris.connection-refused',
  'ris.message-taken',
  'ris.message-refused',
  'ris.message-failed',
  'ris.messages-unanswered',
  'ris.messages-taken-again',
  'ris.patient-differs',
  'broker.connected',
  'broker.disconnected',
  'broker.unreachable',
  'broker.blocked',
  'broker.unblocked',
  'broker.misconfigured',
  'broker.channel-lost',
  'broker.consuming',
  'broker.settle-failed',
  'broker.settle-dropped',
  'broker.handler-failed',
  'broker.stopped',
] as const;
export type LogEvent = (typeof LOG_EVENTS)[number];

/**
 * Fields of a log line: UIDs, counts, seconds and codes. Data about a patient are never logged, so nothing has to be
 * redacted.
 */
export type LogFields = { readonly event: LogEvent; readonly [key: string]: unknown };

/** The logger (pino), where each line names an event of the closed list. */
export interface Log {
  debug(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  error(fields: LogFields, text: string): void;
  /** A log whose lines all carry `bindings`, for example `{study: uid}`. */
  child(bindings: Readonly<Record<string, unknown>>): Log;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number] | 'silent';

export const logSchema = z
  .strictObject({ level: z.enum(LOG_LEVELS).default('info').describe('Least level that is logged') })
  .prefault({});

/**
 * Logs JSON lines to standard error, or with `pretty` lines for a terminal; standard output is for results (`--json`).
 * Never waits for the reader ({@link LogStream}).
 */
export function createLog(level: LogLevel, pretty = false, destination?: DestinationStream): Log {
  const told = (notice: DroppedLines) => log.warn(notice, 'whoever reads this log did not read: lines were left out');
  const lines = destination ?? new LogStream(standardError(), told);
  const target = pretty ? { write: (line: string) => lines.write(`${prettyLine(line)}\n`) } : lines;
  const log: Logger = pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ ...traceIds() }),
    },
    target,
  );
  return log;
}

/** One JSON log line in readable form: time, level, text, then the fields. */
export function prettyLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields)
    .filter(([key]) => key !== 'pid' && key !== 'hostname')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [String(time).slice(11, 23), String(level).padEnd(5), String(msg), ...rest].join(' ');
}
