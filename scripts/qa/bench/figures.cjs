/** From blocks to the figures that are told. CommonJS, so that jest can require it. */
'use strict';
const os = require('node:os');

/** The mean of each field over rows that have the same ones. */
function means(rows) {
  return Object.fromEntries(
    Object.keys(rows[0]).map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0) / rows.length]),
  );
}

const total = (values) => Object.values(values).reduce((sum, value) => sum + value, 0);

/** Of a contender's blocks of one kind of film. */
function blockFigures(blocks) {
  const films = total(blocks.map((block) => block.films));
  const parts = Object.fromEntries(
    Object.keys(blocks[0].cpu).map((part) => [part, total(blocks.map(({ cpu }) => cpu[part])) / films]),
  );
  return {
    cpuSecondsPerFilm: total(parts),
    filmsPerSecond: films / total(blocks.map(({ wallSeconds }) => wallSeconds)),
    parts,
    memoryMiB: Math.max(...blocks.map(({ memoryMiB }) => memoryMiB)),
    ...responses(blocks.flatMap((block) => block.responses ?? [])),
  };
}

/** The longest of all blocks; nothing of a contender that was not asked. */
function responses(all) {
  return Object.fromEntries(
    Object.keys(all[0] ?? {}).map((name) => [name, Math.max(...all.map((block) => block[name]))]),
  );
}

/**
 * The networks at their best thread setting, the native parts, and archive and broker for one retrieval and one store;
 * films a second as if every core did nothing else.
 */
function limitFigures(blocks, networks) {
  const { archive, broker } = blockFigures(blocks).parts;
  const results = blocks.flatMap((block) => block.results);
  const parts = { networks: bestNetworks(networks), ...means(results.map((result) => result.parts)), archive, broker };
  const cpuSecondsPerFilm = total(parts);
  const decoders = [...new Set(results.map(({ decoder }) => decoder))];
  return { cpuSecondsPerFilm, filmsPerSecond: os.availableParallelism() / cpuSecondsPerFilm, parts, decoders };
}

/** @param {{threads: number, cpuSecondsPerFilm: number}[]} networks @returns {number} CPU seconds per film */
function bestNetworks(networks) {
  return Math.min(...networks.map(({ cpuSecondsPerFilm }) => cpuSecondsPerFilm));
}

/** By thread setting, the median of all rounds. */
function networkFigures(rows) {
  return [...new Set(rows.map(({ threads }) => threads))].map((threads) => {
    const times = rows.filter((row) => row.threads === threads).map(({ cpuSecondsPerFilm }) => cpuSecondsPerFilm);
    return { threads, cpuSecondsPerFilm: median(times) };
  });
}

/** Which ratio is of which two contenders, and of what. */
const RATIOS = {
  serviceToLimitCpu: ['service', 'limit', 'cpuSecondsPerFilm'],
  serviceToNetworksCpu: ['service', 'networks', 'cpuSecondsPerFilm'],
  serviceToPeerCpu: ['service', 'peer', 'cpuSecondsPerFilm'],
  serviceToPeerFilmsPerSecond: ['service', 'peer', 'filmsPerSecond'],
  twoProcessesToPeerFilmsPerSecond: ['serviceTwoProcesses', 'peer', 'filmsPerSecond'],
  autoToOneFilmsPerSecond: ['service', 'serviceConcurrencyOne', 'filmsPerSecond'],
  twoProcessesToOneFilmsPerSecond: ['serviceTwoProcesses', 'service', 'filmsPerSecond'],
};

/** What the figures are held against, by kind of film; a part that was not measured has no ratio. */
function ratiosOf({ networks, latency, ...contenders }) {
  const alone = { cpuSecondsPerFilm: bestNetworks(networks) };
  const of = { ...contenders, networks: mapValues(contenders.service, () => alone) };
  return {
    ...mapValues(RATIOS, ([above, below, field]) => over(of[above], of[below], field)),
    ...(latency?.peer === undefined
      ? {}
      : { serviceToPeerLatencyP95: { raw: latency.service.p95Seconds / latency.peer.p95Seconds } }),
  };
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));

/** By kind, where both have it. */
function over(above = {}, below = {}, field) {
  return Object.fromEntries(
    Object.keys(above)
      .filter((kind) => below[kind] !== undefined)
      .map((kind) => [kind, above[kind][field] / below[kind][field]]),
  );
}

/** @param {number[]} values @returns {number} the upper one of the two in the middle */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Samples that stand for the beginning, and as many for the end: one alone is what the last collection left. */
const GROWTH_SAMPLES = 3;

/**
 * How much memory grew, as a share: the median of the last samples against that of the first ones from `from` on.
 * Undefined where there are too few to tell.
 * @param {{studies: number}[]} samples in their order, each after so many studies
 */
function growthOf(samples, from, field) {
  const values = samples.filter(({ studies }) => studies >= from).map((sample) => sample[field]);
  if (values.length <= GROWTH_SAMPLES || values.includes(undefined)) return undefined;
  return median(values.slice(-GROWTH_SAMPLES)) / median(values.slice(0, GROWTH_SAMPLES)) - 1;
}

/** Nearest rank. @param {number[]} seconds */
function latencyFigures(seconds) {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (share) => sorted[Math.ceil(share * sorted.length) - 1];
  return { p50Seconds: at(0.5), p95Seconds: at(0.95), studies: sorted.length };
}

module.exports = {
  means,
  median,
  blockFigures,
  limitFigures,
  networkFigures,
  latencyFigures,
  growthOf,
  ratiosOf,
};
