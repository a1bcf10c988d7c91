import type { Writable } from 'node:stream';

/** Most that waits for whoever reads the log (bytes): some thousand lines. */
const MOST_WAITING = 1024 * 1024;

export interface DroppedLines {
  readonly event: 'log.lines-dropped';
  readonly lines: number;
}

/**
 * Writes lines to a stream without ever waiting for its reader. What the stream takes at once is written at once, so
 * that the last line before a crash is there; what it does not take waits in memory, and beyond `mostWaiting` bytes
 * lines are left out and counted. `onDropped` is told their number when the stream takes lines again.
 */
export class LogStream {
  private dropped = 0;

  constructor(
    private readonly stream: Writable,
    private readonly onDropped: (notice: DroppedLines) => void,
    private readonly mostWaiting = MOST_WAITING,
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
 * Standard error, which Node writes to without blocking where it is a pipe or a socket (a container, systemd, another
 * program); a file or a terminal takes lines at once. A reader that is gone ends neither the process nor its work.
 */
export function standardError(): Writable {
  if (!isGuarded) process.stderr.on('error', () => {});
  isGuarded = true;
  return process.stderr;
}
