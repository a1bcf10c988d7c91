/** The figures as a table for people. */
const TITLES = {
  mix: 'mix',
  raw: 'raw',
  rle: 'RLE',
  jpegLossless: 'JPEG Lossless',
  jpegLs: 'JPEG-LS',
  jpeg2000: 'JPEG 2000',
  real: 'real films',
};
const milliseconds = (seconds) => (1000 * seconds).toFixed(0);

/** Columns at the width of their longest cell; the first one to the left. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

/** CPU milliseconds per film by part, and their sum. */
function partsTable(title, byKind, sum) {
  if (Object.keys(byKind).length === 0) return [];
  const names = Object.keys(Object.values(byKind)[0].parts);
  const rows = Object.entries(byKind).map(([kind, { parts }]) => [
    TITLES[kind],
    ...names.map((name) => milliseconds(parts[name])),
    milliseconds(sum(parts)),
  ]);
  return [title, ...table([['', ...names, 'sum'], ...rows]), ''];
}

const sumOf = (parts) => Object.values(parts).reduce((sum, value) => sum + value, 0);

/**
 * @param {object} result as {@link import('./measure.mjs').measure} has it, with `machine`, `missing`, `skipped`,
 * `ratios` and `targets`
 */
export function tableOf(result) {
  const { machine, rounds, networks, missing, skipped, limit, inProcess, ratios, targets } = result;
  const stages = Object.fromEntries(Object.entries(inProcess).map(([kind, parts]) => [kind, { parts }]));
  return [
    `${machine.cores} cores, ${machine.cpu}; ${rounds} round(s); CPU in milliseconds per film`,
    ...skipped.map((kind) => `${TITLES[kind]}: skipped, as there are none (HILUM_DATA_DIR)`),
    '',
    `networks alone: ${networks.map(networksAlone).join(', ')}`,
    '',
    ...(limit === undefined
      ? [`limit: not measured: ${missing.length > 0 ? `missing: ${missing.join(', ')}` : 'it is of drawn films'}`, '']
      : partsTable(`limit: what nobody can leave out (decoders: ${decodersOf(limit)})`, limit, sumOf)),
    ...partsTable('Hilum in one process, without archive and broker', stages, sumOf),
    ...contenderTable(result),
    ...responseTable(result),
    ...latencyTable(result.latency ?? {}),
    ...startUpTable(result.startUp),
    ...ratioTable(ratios),
    ...targetTable(targets),
  ];
}

const networksAlone = ({ threads, cpuSecondsPerFilm }) => `${milliseconds(cpuSecondsPerFilm)} at ${threads} thread(s)`;

const decodersOf = (limit) => [...new Set(Object.values(limit).flatMap(({ decoders }) => decoders))].join(', ');

const NAMES = {
  serviceConcurrencyOne: 'Hilum, concurrency 1',
  service: 'Hilum, concurrency auto',
  serviceTwoProcesses: 'Hilum, two processes',
  peer: 'peer, a process for each core',
};

/** A row for each contender and kind that was measured. */
function contenderRows(contenders, cells) {
  return Object.entries(NAMES).flatMap(([name, title]) =>
    Object.entries(contenders[name] ?? {}).flatMap(([kind, figures]) => {
      const row = cells(figures, kind);
      return row === undefined ? [] : [[`${title}, ${TITLES[kind]}`, ...row]];
    }),
  );
}

function contenderTable({ limit, ...contenders }) {
  const rows = contenderRows(contenders, (figures, kind) => [
    milliseconds(figures.cpuSecondsPerFilm),
    ...['contender', 'archive', 'broker'].map((part) => milliseconds(figures.parts[part])),
    limit?.[kind] === undefined ? '' : (figures.cpuSecondsPerFilm / limit[kind].cpuSecondsPerFilm).toFixed(2),
    figures.filmsPerSecond.toFixed(2),
    figures.memoryMiB.toFixed(0),
  ]);
  const head = ['', 'CPU', 'its own', 'archive', 'broker', 'times the limit', 'films/s', 'MiB each'];
  return ['with archive and broker', ...table([head, ...rows]), ''];
}

function responseTable(contenders) {
  const rows = contenderRows(contenders, ({ loopDelayP99Seconds, longestHealthSeconds }) =>
    loopDelayP99Seconds === undefined
      ? undefined
      : [milliseconds(loopDelayP99Seconds), milliseconds(longestHealthSeconds)],
  );
  const head = ['', 'event loop delay p99', 'longest /health/live'];
  return ['while it works (ms), the longest of all blocks', ...table([head, ...rows]), ''];
}

function latencyTable(latency) {
  const rows = Object.entries(latency).map(([name, { p50Seconds, p95Seconds, studies }]) => [
    `${NAMES[name]}, raw, ${studies} studies`,
    milliseconds(p50Seconds),
    milliseconds(p95Seconds),
  ]);
  return rows.length === 0
    ? []
    : ['one study at a time, event to result (ms)', ...table([['', 'p50', 'p95'], ...rows]), ''];
}

function startUpTable({ serve, analyze }) {
  const row = (title, { cpuSeconds, wallSeconds }) => [title, cpuSeconds.toFixed(2), wallSeconds.toFixed(2)];
  const rows = [row('hilum serve, until it is ready', serve), row('hilum analyze, one film', analyze)];
  return ['start-up (s)', ...table([['', 'CPU', 'by the clock'], ...rows]), ''];
}

const RATIOS = {
  serviceToLimitCpu: 'CPU, Hilum to limit',
  serviceToNetworksCpu: 'CPU, Hilum to networks alone',
  serviceToPeerCpu: 'CPU, Hilum to peer',
  serviceToPeerFilmsPerSecond: 'films/s, Hilum to peer',
  twoProcessesToPeerFilmsPerSecond: 'films/s, two processes of Hilum to peer',
  autoToOneFilmsPerSecond: 'films/s, concurrency auto to 1',
  twoProcessesToOneFilmsPerSecond: 'films/s, two processes to one',
  serviceToPeerLatencyP95: 'latency p95, Hilum to peer',
};

function ratioTable(ratios) {
  const kinds = Object.keys(ratios.serviceToNetworksCpu);
  const rows = Object.entries(RATIOS)
    .filter(([name]) => Object.keys(ratios[name] ?? {}).length > 0)
    .map(([name, title]) => [title, ...kinds.map((kind) => ratios[name][kind]?.toFixed(2) ?? '')]);
  return ['ratios', ...table([['', ...kinds.map((kind) => TITLES[kind])], ...rows]), ''];
}

/** Each target with what was measured. */
export function targetTable(targets) {
  const rows = targets.map(({ name, kind, value, sign, bound, isReached }) => [
    kind === undefined ? name : `${name}, ${TITLES[kind]}`,
    value.toPrecision(3),
    `${sign} ${bound}`,
    isReached ? 'reached' : 'not reached',
  ]);
  return ['targets', ...table([['', 'measured', 'wanted', ''], ...rows]), ''];
}
