import type { Writable } from 'node:stream';

/** Bytes of log lines held for a slow reader: some thousand lines. */
const MAX_WAITING = 1024 * 1024;

export interface DroppedLines {
  readonly event: 'log.lines-dropped';
  readonly lines: number;
}

/**
 * Writes lines to a stream without waiting for its reader. Lines that the stream accepts are written at once, so that
 * the last line before a crash is not lost; others wait in memory, and beyond `mostWaiting` bytes they are dropped and
 * counted. `onDropped` gets their number when the stream accepts lines again.
 */
export class LogStream {
  private dropped = 0;

  constructor(
    private readonly stream: Writable,
    private readonly onDropped: (notice: DroppedLines) => void,
    private readonly mostWaiting = MAX_WAITING,
  ) {}

  write(line: string): void {
    if (this.dropped === 0 && this.stream.writableLength + line.length <= this.mostWaiting) {
      this.stream.write(line);
      return;
    }
    if (this.dropped === 0) this.stream.once('drain', () => this.tell());
    this.dropped += 1;
  }

  private tell(): void {
    const lines = this.dropped;
    this.dropped = 0;
    this.onDropped({ event: 'log.lines-dropped', lines });
  }
}

let isGuarded = false;

/**
 * Standard error. Node writes to a pipe or socket (a container, systemd, another program) without blocking; a file or a
 * terminal takes lines at once. A reader that has gone ends neither the process nor its work.
 */
export function standardError(): Writable {
  if (!isGuarded) process.stderr.on('error', () => {});
  isGuarded = true;
  return process.stderr;
}
