/** The numbers of a chaos run, and how a person reads them. */

/**
 * Seconds and MiB where the name says nothing else. `lost` and `doubled` are the archive's word, `retried` and `steps`
 * the workers' logs'.
 * @param {Record<string, any>} run
 */
export function summarise({
  options,
  studies,
  sent,
  verdict,
  messages,
  events,
  logs,
  memory,
  supervisor,
  proxy,
  seconds,
  quiet,
  timedOut,
}) {
  const { stored, analysed, notAnalysed, lost, doubled } = verdict;
  const retries = Object.values(logs.retries).reduce((sum, count) => sum + count, 0);
  const announced = new Set(events.map(({ studyInstanceUid }) => studyInstanceUid));
  const films = studies.flatMap((study) => study.films).length;
  return {
    ok: lost === 0 && doubled === 0 && messages.dead === 0 && announced.size === studies.length && quiet,
    studies: studies.length,
    films,
    stored,
    analysed,
    notAnalysed,
    lost,
    doubled,
    retried: retries + logs.requeued,
    dead: messages.dead,
    seconds: round(seconds),
    studiesPerSecond: round(logs.workSeconds > 0 ? studies.length / logs.workSeconds : 0, 3),
    filmsPerSecond: round(logs.workSeconds > 0 ? films / logs.workSeconds : 0, 3),
    resultEvents: events.length,
    studiesWithoutResultEvent: studies.length - announced.size,
    secondsToResult: {
      stat: waits(
        studies.filter(({ isStat }) => isStat),
        events,
      ),
      routine: waits(
        studies.filter(({ isStat }) => !isStat),
        events,
      ),
    },
    kills: supervisor.counts.kills,
    downSeconds: mapValues(supervisor.counts.downSeconds, round),
    endedByThemselves: supervisor.counts.endedByThemselves,
    memoryMiB: memory.summary(),
    steps: {
      send: sent,
      ...logs,
      workSeconds: round(logs.workSeconds),
      ...(proxy ? { proxy: proxy.counts } : {}),
      messagesLeft: messages.byQueue,
    },
    quiet,
    timedOut,
    options: {
      seed: options.seed,
      workers: options.workers,
      killEverySeconds: options.killEvery,
      events: options.events,
      storeFirst: options.storeFirst,
      catchUp: options.catchUp,
      dicomwebOnly: options.dicomwebOnly,
      threads: options.threads,
    },
  };
}

/** From the moment when Orthanc had the study's last film to the first event that tells of all its films. */
function waits(studies, events) {
  const seconds = studies
    .flatMap(({ studyInstanceUid, films, storedAt }) => {
      const complete = events.filter(
        (event) =>
          event.studyInstanceUid === studyInstanceUid &&
          films.every((film) => event.films.some(({ sopInstanceUid }) => sopInstanceUid === film)),
      );
      return complete.length === 0 || storedAt === undefined
        ? []
        : [(Math.min(...complete.map(({ completedAt }) => Date.parse(completedAt))) - storedAt) / 1000];
    })
    .sort((a, b) => a - b);
  const at = (quantile) =>
    seconds.length === 0 ? null : round(seconds[Math.min(seconds.length - 1, Math.floor(quantile * seconds.length))]);
  return { studies: studies.length, median: at(0.5), p95: at(0.95), longest: at(1) };
}

const round = (value, digits = 1) => Number(value.toFixed(digits));
const mapValues = (object, work) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, work(value)]));
const list = (object) =>
  Object.entries(object)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ') || 'none';

export function describe(result) {
  const {
    kills,
    memoryMiB,
    steps,
    secondsToResult: { stat, routine },
  } = result;
  const waited = ({ studies, median, p95, longest }) =>
    median === null ? 'none' : `median ${median}, 95 % within ${p95}, longest ${longest} (${studies} studies)`;
  const rows = [
    ['studies', `${result.studies} with ${result.films} films, seed ${result.options.seed}`],
    ['stored', result.stored],
    ['analysed', `${result.analysed}, and ${result.notAnalysed} with a report that says why not`],
    ['lost', result.lost],
    ['doubled', result.doubled],
    ['retried', `${result.retried} (put back ${steps.requeued}; ${list(steps.retries)})`],
    ['dead', result.dead],
    [
      'seconds',
      `${result.seconds}; ${result.studiesPerSecond} studies and ${result.filmsPerSecond} films per second of work`,
    ],
    ['to result, s', `STAT: ${waited(stat)}`],
    ['', `routine: ${waited(routine)}`],
    ['result events', `${result.resultEvents}; ${result.studiesWithoutResultEvent} studies without one`],
    [
      'kills',
      `${list(kills)}; down for ${list(result.downSeconds)} s; ended by themselves ${result.endedByThemselves}`,
    ],
    ['sender', `${steps.send.tries} tries, ${steps.send.failed} failed, ${steps.send.alreadyStored} there already`],
    ['catch-up', `told of ${steps.caughtUp} studies, failed ${steps.catchUpFailed} times`],
    ...memoryMiB.map(({ first, highest, last, meanByQuarter }, i) => [
      `worker ${i}, MiB`,
      `first ${first}, highest ${highest}, last ${last}; mean by quarter ${meanByQuarter.join(', ')}`,
    ]),
    ...(steps.proxy ? [['proxy', `${steps.proxy.passed} requests passed, ${steps.proxy.refused} refused`]] : []),
  ];
  return `\n${rows.map(([name, value]) => `${name.padEnd(14)}  ${value}`).join('\n')}\n`;
}
