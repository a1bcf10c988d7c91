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
  };
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
    return { threads, cpuSecondsPerFilm: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] };
  });
}

/** What the figures are held against, by kind of film; a part that was not measured has no ratio. */
function ratiosOf({ limit, serviceOneWorker, service, peer, latency, networks }) {
  const over = (above, below, field) =>
    Object.fromEntries(
      Object.keys(above ?? {})
        .filter((kind) => below?.[kind] !== undefined)
        .map((kind) => [kind, above[kind][field] / below[kind][field]]),
    );
  const alone = Object.fromEntries(
    Object.keys(service).map((kind) => [kind, { cpuSecondsPerFilm: bestNetworks(networks) }]),
  );
  return {
    serviceToLimitCpu: over(service, limit, 'cpuSecondsPerFilm'),
    serviceToNetworksCpu: over(service, alone, 'cpuSecondsPerFilm'),
    serviceToPeerCpu: over(service, peer, 'cpuSecondsPerFilm'),
    serviceToPeerFilmsPerSecond: over(service, peer, 'filmsPerSecond'),
    twoWorkersToOneFilmsPerSecond: over(service, serviceOneWorker, 'filmsPerSecond'),
    ...(latency?.peer === undefined
      ? {}
      : { serviceToPeerLatencyP95: { raw: latency.service.p95Seconds / latency.peer.p95Seconds } }),
  };
}

/** Nearest rank. @param {number[]} seconds */
function latencyFigures(seconds) {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (share) => sorted[Math.ceil(share * sorted.length) - 1];
  return { p50Seconds: at(0.5), p95Seconds: at(0.95), studies: sorted.length };
}

module.exports = { means, blockFigures, limitFigures, networkFigures, latencyFigures, ratiosOf };
