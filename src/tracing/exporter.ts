import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Log } from '../base/log';

/**
 * Logs each outage of the trace receiver once, at its start and, with the number of dropped spans, at its end. A batch
 * that can't be sent is dropped: nothing waits for the receiver.
 */
export class WatchedExporter implements SpanExporter {
  private lost = 0;

  /** @param where host and port of the receiver for the log */
  constructor(
    private readonly inner: SpanExporter,
    private readonly where: string,
    private readonly log: Pick<Log, 'warn' | 'info'>,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.inner.export(spans, (result) => {
      this.note(spans.length, result);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.inner.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }

  private note(spans: number, { code, error }: ExportResult): void {
    const { where } = this;
    if (code === ExportResultCode.FAILED) {
      if (this.lost === 0)
        this.log.warn(
          { event: 'tracing.export-failed', where, ...signsOf(error) },
          'traces are not taken; films are analysed all the same, and spans left out until it takes them again',
        );
      this.lost += spans;
    } else if (this.lost > 0) {
      this.log.info({ event: 'tracing.export-recovered', where, spansLost: this.lost }, 'traces are taken again');
      this.lost = 0;
    }
  }
}

/** HTTP status or Node's error code only, as the response's text may be anything. */
function signsOf(error: Error | undefined): { readonly error?: string } {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'number' || typeof code === 'string' ? { error: String(code) } : { error: error?.name ?? '' };
}
