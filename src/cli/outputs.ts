import type { Writable } from 'node:stream';
import { outputFailed } from '../base/disk';
import { standardError } from '../base/log-stream';

/**
 * Watches standard output and error. A reader that closes the output early (`hilum models | head`) ends the command
 * with 0; a full disk behind it is told as for any other result. Without a reader of standard error the work goes on.
 * @param fail tells the error and sets the exit status
 */
export function watchOutputs(fail: (error: unknown) => void, output: Writable = process.stdout): void {
  standardError();
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    fail(outputFailed('standard output', error));
    process.exit();
  });
}
