/** One chaos run, from the drawn films to the numbers. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../lib/shell.mjs';
import { countReports, listArchive } from './archive.mjs';
import { countMessages, gatherResults, readDead, takeResults } from './broker.mjs';
import { drawFilms, sendStudies } from './films.mjs';
import { supervise } from './kills.mjs';
import { startServers, startWorkers } from './line.mjs';
import plan from './plan.cjs';
import { summarise } from './summary.mjs';
import verdicts from './verdict.cjs';
import { readLogs, watchMemory } from './watch.mjs';

const LOOK_MS = 1_000;
/** Mean pause between two studies, so that kills meet every step of the way. */
const SEND_EVERY_SECONDS = 1;
/** Kills end when this part of the films has its results, so that the end is quiet. */
const KILL_UNTIL = 0.75;
/** Without any news for so long, while nothing is killed, what is missing will not come. */
const PATIENCE_MS = 180_000;
/** Longer than the catch-up's interval and than Orthanc takes to call a study stable. */
const QUIET_MS = 20_000;

/** @returns the numbers (summary.mjs) and the verdict's problems. `stop` (lib/stopper.mjs) ends all parts. */
export async function runChaos(dir, options, stop) {
  const studies = await draw(dir, options);
  const line = await startServers(dir, options, stop.add);
  await gatherResults(line.rabbit.amqpUrl);
  const limit = AbortSignal.timeout(options.timeLimitMs);
  const sent = { films: 0, tries: 0, failed: 0, alreadyStored: 0 };
  const send = () => sendStudies(studies, line.orthanc.url, limit, sent);
  if (options.storeFirst) {
    say('storing all studies');
    await send();
  }
  const workers = await startWorkers(dir, line, options, stop.add);
  const memory = watchMemory(workers);
  stop.add(memory);
  const supervisor = supervise({ worker: workers, broker: [line.rabbit], archive: [line.orthanc] });
  stop.add(supervisor);
  const started = Date.now();
  const sending = options.storeFirst ? Promise.resolve() : send();
  const films = studies.flatMap((study) => study.films).length;
  const progress = watchProgress(line.orthanc.url, films, sent, supervisor.counts);
  await killWhile(options, supervisor, sending, progress, limit);
  await sending;
  const finished = await progress.untilDone(limit);
  const quiet = await untilQuiet(line, limit);
  await supervisor.stop();
  return conclude({
    options,
    studies,
    sent,
    line,
    workers,
    memory,
    supervisor,
    seconds: (finished - started) / 1000,
    quiet,
    timedOut: limit.aborted,
  });
}

async function draw(dir, { seed, studies, killEvery, storeFirst, catchUp }) {
  say(`drawing ${studies} studies`);
  const meanSeconds = killEvery > 0 && !storeFirst ? SEND_EVERY_SECONDS : 0;
  // A film that joins a series of an unstable study is what kind orthanc may miss when Orthanc is killed:
  // docs/reliability.md.
  return drawFilms(
    plan.drawStudies({ seed, studies, meanSeconds, sameSeries: catchUp === 'dicomweb' }),
    path.join(dir, 'films'),
  );
}

/** Kills until all is sent, most of it is done and each kind of kill has come, or half of the time is over. */
async function killWhile({ killEvery, seed, workers, timeLimitMs }, supervisor, sending, progress, limit) {
  if (killEvery === 0) return;
  const enough = new AbortController();
  const end = AbortSignal.any([enough.signal, limit, AbortSignal.timeout(timeLimitMs / 2)]);
  const killing = supervisor.run(plan.drawKills({ seed, meanSeconds: killEvery, workers }), end);
  const watching = (async () => {
    await sending;
    const killed = () => Object.values(supervisor.counts.kills).reduce((sum, count) => sum + count, 0);
    while (!end.aborted && !(killed() >= plan.KILLS_OF_EACH_KIND && (await progress.look()) >= KILL_UNTIL))
      await sleep(LOOK_MS);
    enough.abort();
  })();
  await Promise.all([killing, watching]);
  say('quiet from here on');
}

function watchProgress(url, films, sent, { kills }) {
  let [reports, instances, changedAt, toldAt] = [0, 0, Date.now(), Date.now()];
  const look = async () => {
    const found = await countReports(url);
    if (found && (found.reports !== reports || found.instances !== instances))
      [reports, instances, changedAt] = [found.reports, found.instances, Date.now()];
    if (Date.now() - toldAt > 10_000) {
      toldAt = Date.now();
      say(
        `${sent.films} of ${films} films stored, ${reports} reports; killed ${Object.entries(kills)
          .map(([kind, count]) => `${kind} ${count}`)
          .join(', ')}`,
      );
    }
    return reports / films;
  };
  return {
    look,
    /** When the last report came, or no more can be hoped for (Unix time, milliseconds). */
    async untilDone(limit) {
      const since = Date.now();
      while ((await look()) < 1 && !limit.aborted && Date.now() - Math.max(since, changedAt) < PATIENCE_MS)
        await sleep(LOOK_MS);
      return changedAt;
    },
  };
}

/**
 * No message is under way and nothing new comes for a while: what could still be doubled has been by now. False when
 * that is not reached.
 */
async function untilQuiet({ rabbit, orthanc }, limit) {
  for (let [before, since] = [-1, Date.now()]; !limit.aborted; await sleep(2_000)) {
    const { open } = await countMessages(rabbit);
    const instances = (await countReports(orthanc.url))?.instances;
    if (open > 0 || instances !== before) [before, since] = [instances, Date.now()];
    if (Date.now() - since > QUIET_MS) return true;
  }
  return false;
}

/** @param {Record<string, any>} options */
async function conclude({ studies, line, workers, ...rest }) {
  const { rabbit, orthanc, proxy } = line;
  const messages = await countMessages(rabbit);
  const letters = messages.dead > 0 ? await readDead(rabbit.amqpUrl, messages.deadQueues) : [];
  const verdict = verdicts.judge(studies, await listArchive(orthanc.url));
  const events = await takeResults(rabbit.amqpUrl);
  const logs = readLogs(workers.map(({ log }) => log));
  return {
    result: summarise({ studies, verdict, messages, events, logs, proxy, ...rest }),
    problems: verdict.problems,
    letters,
  };
}
