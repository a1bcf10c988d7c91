/** What the figures have to reach (docs/performance.md, "Targets"). CommonJS, so that jest can require it. */
'use strict';

/** The ones that hold a share of what Hilum uses, at most; the others at least. */
const AT_MOST = (bound) => ({ bound, isReached: (value) => value <= bound, sign: '<=' });
const AT_LEAST = (bound) => ({ bound, isReached: (value) => value >= bound, sign: '>=' });

const byKind = (table) => Object.fromEntries(table.flatMap(([kinds, target]) => kinds.map((kind) => [kind, target])));

/** By ratio and kind of film. */
const RATIOS = {
  serviceToLimitCpu: byKind([
    [['raw', 'rle', 'jpegLossless', 'jpegLs'], AT_MOST(1.25)],
    [['jpeg2000', 'mix'], AT_MOST(1.35)],
  ]),
  serviceToPeerFilmsPerSecond: byKind([[['mix', 'raw'], AT_LEAST(2)]]),
  autoToOneFilmsPerSecond: byKind([[['mix', 'raw'], AT_LEAST(1.8)]]),
  // "No slower", but for the noise of two blocks.
  twoProcessesToOneFilmsPerSecond: byKind([[['mix', 'raw'], AT_LEAST(0.95)]]),
  serviceToPeerLatencyP95: byKind([[['raw'], AT_MOST(0.6)]]),
};

/** Resident memory of a worker of so many cores (MiB). */
const memoryBound = (cores) => 450 + 150 * Math.max(0, cores - 2);

const GROWTH = AT_MOST(0.05);
const CATCH_UP = { requests: AT_MOST(60), seconds: AT_MOST(3) };

/** Of a name, a kind and a value: whether it is reached. */
const held = (name, kind, value, { bound, isReached, sign }) => ({
  name,
  ...(kind === undefined ? {} : { kind }),
  value,
  sign,
  bound,
  isReached: isReached(value),
});

const present = (rows) => rows.flatMap((row) => (row[2] === undefined ? [] : [held(...row)]));

/** Each target of the run that was measured. */
function targetsOf({ machine, ratios, service, latency, startUp }) {
  const of = (field) => Object.entries(service).map(([kind, figures]) => [kind, figures[field]]);
  return present([
    ...Object.entries(RATIOS).flatMap(([name, kinds]) =>
      Object.entries(kinds).map(([kind, target]) => [name, kind, ratios[name]?.[kind], target]),
    ),
    ['latencyP95Seconds', 'raw', latency?.service?.p95Seconds, AT_MOST(1)],
    ...of('loopDelayP99Seconds').map(([kind, value]) => ['loopDelayP99Seconds', kind, value, AT_MOST(0.05)]),
    ...of('memoryMiB').map(([kind, value]) => ['memoryMiB', kind, value, AT_MOST(memoryBound(machine.cores))]),
    ['serveCpuSeconds', undefined, startUp?.serve.cpuSeconds, AT_MOST(1.2)],
    ['analyzeCpuSeconds', undefined, startUp?.analyze.cpuSeconds, AT_MOST(1.5)],
  ]);
}

/** Of `--soak`. */
const soakTargetsOf = ({ growth }) => present([['memoryGrowth', undefined, growth, GROWTH]]);

/** Of `--catch-up`. */
const catchUpTargetsOf = ({ requests, seconds }) =>
  present([
    ['requests', undefined, requests, CATCH_UP.requests],
    ['seconds', undefined, seconds, CATCH_UP.seconds],
  ]);

/**
 * CPU time of the service per raw film, with archive and broker, to that of the networks alone. Measured: 3.5 on an idle
 * machine, 5.2 on a busy one before garbage was collected less often. A busy one still passes, and three passes more
 * over a film's pixels in plain code (150 ms and more each) soon do not.
 */
const SERVICE_TO_NETWORKS = AT_MOST(6.5);

/** Of `--check`. */
const checkTargetsOf = ({ ratios }) =>
  present([['serviceToNetworksCpu', 'raw', ratios.serviceToNetworksCpu.raw, SERVICE_TO_NETWORKS]]);

module.exports = { targetsOf, soakTargetsOf, catchUpTargetsOf, checkTargetsOf };
