import type { Log, LogFields } from '../../../src/base/log';

export interface RecordedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly text: string;
}

/** A log that keeps its lines, those of its children with their bindings. */
export function recordingLog(
  lines: RecordedLine[] = [],
  bindings: Readonly<Record<string, unknown>> = {},
): Log & { readonly lines: RecordedLine[] } {
  const at = (level: RecordedLine['level']) => (fields: LogFields, text: string) =>
    void lines.push({ level, fields: { ...bindings, ...fields }, text });
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => recordingLog(lines, { ...bindings, ...more }),
  };
}
