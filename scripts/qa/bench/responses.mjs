/** Whether a service answers while it works: the delay of its event loop, and its health asked again and again. */
const PROBE_INTERVAL_MS = 100;
const PROBE_TIMEOUT_MS = 30_000;
/** Of Node's process since somebody last asked (seconds); of an idle one the interval of its sampling, 10 ms. */
const LOOP_DELAY = 'nodejs_eventloop_lag_p99_seconds';

/**
 * Asks these services until `stop`.
 * @param {string[]} urls
 * @returns {Promise<{stop(): void, read(): Promise<{loopDelayP99Seconds: number, longestHealthSeconds: number} |
 * undefined>}>} `read`: the longest of all services so far, once; undefined where there is no service
 */
export async function watchResponses(urls) {
  // Whoever asks for the metrics begins a new measurement.
  await Promise.all(urls.map(readMetrics));
  const watches = urls.map(watchHealth);
  return {
    stop: () => watches.forEach((watch) => watch.stop()),
    async read() {
      const delays = (await Promise.all(urls.map(readMetrics))).map((metrics) => metrics[LOOP_DELAY] ?? NaN);
      const health = watches.map((watch) => watch.longestSeconds());
      return urls.length === 0
        ? undefined
        : { loopDelayP99Seconds: Math.max(...delays), longestHealthSeconds: Math.max(...health) };
    },
  };
}

function watchHealth(url) {
  const isOver = new AbortController();
  let longest = 0;
  const watch = async () => {
    while (!isOver.signal.aborted) {
      const started = performance.now();
      await answered(url, isOver.signal);
      longest = Math.max(longest, performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + PROBE_INTERVAL_MS - performance.now())));
    }
  };
  // A service that gives no answer has waited as long as it was asked; that it has ended is the block's to tell.
  watch().catch(() => (longest = PROBE_TIMEOUT_MS));
  return { stop: () => isOver.abort(), longestSeconds: () => longest / 1000 };
}

async function answered(url, isOver) {
  const signal = AbortSignal.any([isOver, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
  await (await fetch(`${url}/health/live`, { signal })).arrayBuffer();
}

/** Those without labels. @returns {Promise<Record<string, number>>} */
export async function readMetrics(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Object.fromEntries([...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}
