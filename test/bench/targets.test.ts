import {
  catchUpTargetsOf,
  checkTargetsOf,
  soakTargetsOf,
  type Target,
  targetsOf,
} from '../../scripts/qa/bench/targets.cjs';

const reached = (targets: readonly Target[]) =>
  Object.fromEntries(targets.map(({ name, kind, isReached }) => [[name, kind ?? []].flat().join(' '), isReached]));

test('targets: shares of what is used at most, films a second at least', () => {
  const result = {
    machine: { cores: 4 },
    ratios: {
      serviceToLimitCpu: { raw: 1.25, rle: 1.26, mix: 1.35, jpeg2000: 1.36, real: 9 },
      serviceToPeerFilmsPerSecond: { raw: 2, mix: 1.9 },
      autoToOneFilmsPerSecond: { raw: 1.8 },
      twoProcessesToOneFilmsPerSecond: { raw: 0.9 },
      serviceToPeerLatencyP95: { raw: 0.61 },
    },
    service: {
      raw: { memoryMiB: 750, loopDelayP99Seconds: 0.05 },
      mix: { memoryMiB: 751, loopDelayP99Seconds: 0.051 },
    },
    latency: { service: { p95Seconds: 1.1 } },
    startUp: { serve: { cpuSeconds: 1.2 }, analyze: { cpuSeconds: 1.6 } },
  };
  expect(reached(targetsOf(result))).toEqual({
    'serviceToLimitCpu raw': true,
    'serviceToLimitCpu rle': false,
    'serviceToLimitCpu mix': true,
    'serviceToLimitCpu jpeg2000': false,
    'serviceToPeerFilmsPerSecond raw': true,
    'serviceToPeerFilmsPerSecond mix': false,
    'autoToOneFilmsPerSecond raw': true,
    'twoProcessesToOneFilmsPerSecond raw': false,
    'serviceToPeerLatencyP95 raw': false,
    'latencyP95Seconds raw': false,
    'memoryMiB raw': true,
    'memoryMiB mix': false,
    'loopDelayP99Seconds raw': true,
    'loopDelayP99Seconds mix': false,
    serveCpuSeconds: true,
    analyzeCpuSeconds: false,
  });
});

test('targets: what was not measured has none', () => {
  expect(targetsOf({ machine: { cores: 2 }, ratios: {}, service: { raw: {} } })).toEqual([]);
  expect(soakTargetsOf({ growth: undefined })).toEqual([]);
});

test('targets of the other modes', () => {
  expect(reached(soakTargetsOf({ growth: 0.05 }))).toEqual({ memoryGrowth: true });
  expect(reached(soakTargetsOf({ growth: 0.06 }))).toEqual({ memoryGrowth: false });
  expect(reached(catchUpTargetsOf({ requests: 60, seconds: 3.1 }))).toEqual({ requests: true, seconds: false });
  const [check] = checkTargetsOf({ ratios: { serviceToNetworksCpu: { raw: 1000 } } });
  expect(check).toMatchObject({ kind: 'raw', value: 1000, sign: '<=', isReached: false });
});
