import { availableParallelism } from 'node:os';
import {
  type Block,
  blockFigures,
  growthOf,
  latencyFigures,
  limitFigures,
  networkFigures,
  ratiosOf,
} from '../../scripts/qa/bench/figures.cjs';

const block = (over: Partial<Block> = {}): Block => ({
  films: 8,
  wallSeconds: 4,
  cpu: { contender: 6, archive: 0.8, broker: 0.4 },
  memoryMiB: 400,
  results: [],
  ...over,
});

test('a contender: CPU time of all parts and films by the clock over all blocks, memory at its most', () => {
  const figures = blockFigures([
    block(),
    block({ films: 2, wallSeconds: 1, cpu: { contender: 2, archive: 0.2, broker: 0.1 }, memoryMiB: 410 }),
  ]);
  expect(figures.cpuSecondsPerFilm).toBeCloseTo(0.95);
  expect(figures.parts).toEqual({ contender: 0.8, archive: 0.1, broker: 0.05 });
  expect(figures).toMatchObject({ filmsPerSecond: 2, memoryMiB: 410 });
  expect(figures).not.toHaveProperty('loopDelayP99Seconds');
});

test('how soon a service answers: the longest of all blocks', () => {
  const asked = (loopDelayP99Seconds: number, longestHealthSeconds: number) =>
    block({ responses: { loopDelayP99Seconds, longestHealthSeconds } });
  expect(blockFigures([asked(0.02, 0.1), asked(0.04, 0.03)])).toMatchObject({
    loopDelayP99Seconds: 0.04,
    longestHealthSeconds: 0.1,
  });
});

test('growth: median of the last samples over that of the first, where there are enough of them', () => {
  const samples = [9, 5, 1, 100, 300, 102, 104, 20, 110, 112].map((residentMiB, i) => ({
    studies: 25 * (i + 1),
    residentMiB,
  }));
  expect(growthOf(samples, 100, 'residentMiB')).toBeCloseTo(110 / 102 - 1);
  expect(growthOf(samples.slice(0, 7), 100, 'residentMiB')).toBeCloseTo(104 / 102 - 1);
  expect(growthOf(samples.slice(0, 6), 100, 'residentMiB')).toBeUndefined();
  expect(growthOf([{ studies: 25 }, { studies: 50 }, { studies: 75 }, { studies: 100 }], 0, 'heapMiB')).toBeUndefined();
});

test('the limit: networks at their best thread setting, native parts, archive and broker, and nothing else', () => {
  const networks = networkFigures([
    { threads: 1, cpuSecondsPerFilm: 0.3 },
    { threads: 2, cpuSecondsPerFilm: 0.4 },
    { threads: 1, cpuSecondsPerFilm: 0.2 },
    { threads: 2, cpuSecondsPerFilm: 0.5 },
    { threads: 1, cpuSecondsPerFilm: 0.1 },
    { threads: 2, cpuSecondsPerFilm: 0.6 },
  ]);
  expect(networks).toEqual([
    { threads: 1, cpuSecondsPerFilm: 0.2 },
    { threads: 2, cpuSecondsPerFilm: 0.5 },
  ]);
  const results = [
    { parts: { decode: 0.1, draw: 0.02 }, decoder: 'GDCM' },
    { parts: { decode: 0.3, draw: 0.04 }, decoder: 'CharLS' },
  ];
  const limit = limitFigures(
    [block({ films: 2, cpu: { contender: 9, archive: 0.1, broker: 0.02 }, results })],
    networks,
  );
  expect(limit.parts['networks']).toBe(0.2);
  expect(limit.parts['decode']).toBeCloseTo(0.2);
  expect(limit.cpuSecondsPerFilm).toBeCloseTo(0.2 + 0.2 + 0.03 + 0.05 + 0.01);
  expect(limit.filmsPerSecond).toBeCloseTo(availableParallelism() / 0.49);
  expect(limit.decoders).toEqual(['GDCM', 'CharLS']);
});

test('ratios: of the kinds that both have; of what was not measured none', () => {
  const figures = (cpuSecondsPerFilm: number, filmsPerSecond: number) => ({ cpuSecondsPerFilm, filmsPerSecond });
  const service = { mix: figures(0.6, 3), raw: figures(0.5, 4) };
  const networks = [
    { threads: 1, cpuSecondsPerFilm: 0.25 },
    { threads: 2, cpuSecondsPerFilm: 0.5 },
  ];
  expect(ratiosOf({ service, networks })).toEqual({
    serviceToLimitCpu: {},
    serviceToNetworksCpu: { mix: 2.4, raw: 2 },
    serviceToPeerCpu: {},
    serviceToPeerFilmsPerSecond: {},
    twoProcessesToPeerFilmsPerSecond: {},
    autoToOneFilmsPerSecond: {},
    twoProcessesToOneFilmsPerSecond: {},
  });
  const one = { raw: figures(0.5, 2) };
  const two = { raw: figures(0.5, 6) };
  expect(
    ratiosOf({ service, networks, serviceConcurrencyOne: one, serviceTwoProcesses: two, peer: one }),
  ).toMatchObject({
    serviceToPeerFilmsPerSecond: { raw: 2 },
    twoProcessesToPeerFilmsPerSecond: { raw: 3 },
    autoToOneFilmsPerSecond: { raw: 2 },
    twoProcessesToOneFilmsPerSecond: { raw: 1.5 },
  });
  const latency = { service: latencyFigures([0.5, 0.4]), peer: latencyFigures([1, 0.8]) };
  expect(ratiosOf({ service, networks, latency, limit: { raw: figures(0.4, 5) }, peer: service })).toMatchObject({
    serviceToLimitCpu: { raw: 1.25 },
    serviceToPeerFilmsPerSecond: { mix: 1, raw: 1 },
    serviceToPeerLatencyP95: { raw: 0.5 },
  });
});

test('latency: nearest rank', () => {
  const seconds = Array.from({ length: 20 }, (_, i) => (20 - i) / 10);
  expect(latencyFigures(seconds)).toEqual({ p50Seconds: 1, p95Seconds: 1.9, studies: 20 });
});
