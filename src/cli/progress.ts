/** A progress bar on standard error; silent where that is no terminal. */
export function progressBar(
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): { advance(): void; clear(): void } {
  const shown = stream.isTTY && total > 3;
  const started = Date.now();
  let done = 0;
  return {
    advance() {
      done++;
      if (!shown) return;
      const width = 30;
      const filled = Math.round((width * done) / total);
      const left = Math.round((((Date.now() - started) / done) * (total - done)) / 1000);
      stream.write(`[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done}/${total}, about ${left} s left`);
    },
    clear() {
      if (shown) stream.write('\r\x1b[2K');
    },
  };
}
