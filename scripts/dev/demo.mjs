#!/usr/bin/env node
/**
 * `npm run demo [-- --films DIR] [--once] [--json]`: the whole line on this machine. Installs what is missing, starts
 * RabbitMQ, Orthanc and the service, stores films, waits for their results, prints a table and where to look, and
 * leaves all running until Ctrl-C. Nothing of it is left behind, whatever ends it, but logs after a failure.
 */
import { readOptions, USAGE, withoutTaken } from './demo/options.cjs';
import { drawnFilms, ownFilms } from './demo/films.mjs';
import { describe, studyNames } from './demo/table.cjs';
import { ensure } from './setup.mjs';
import { endGroups, freePort, workFolder } from '../lib/processes.cjs';
import { progress, runMain, say } from '../lib/shell.mjs';

/** As shells tell of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

async function main() {
  const asked = readOptions(process.argv.slice(2), process.env);
  if (asked.help) return void process.stdout.write(USAGE);
  process.env = withoutTaken(process.env);
  const ending = endOnSignal();
  const own = asked.films === undefined ? undefined : ownFilms(asked.films);
  await ensure({ servers: true });
  const folder = workFolder('hilum-demo-');
  try {
    const isGood = await demonstrate(folder.dir, own ?? drawnFilms(), asked, ending);
    if (!isGood) keepLogs(folder);
    return isGood ? 0 : 1;
  } catch (error) {
    progress();
    keepLogs(folder);
    throw error;
  }
}

/**
 * A signal ends this process at once, in whatever it is: with it go the programs that it started, and its folder. The
 * data are thrown away, so that nothing needs an orderly stop.
 */
function endOnSignal() {
  const ending = { status: INTERRUPTED };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      say('\nstopping');
      process.exit(ending.status);
    });
  return ending;
}

/** For a failure: data would be of no use. */
function keepLogs(folder) {
  endGroups();
  if (folder.keepLogs()) say(`logs are left in ${folder.dir}`);
}

async function demonstrate(dir, films, asked, ending) {
  // Only now: these need npm packages and the build.
  const [{ startLine, orthancApi, unlessEnded }, results] = [
    await import('../lib/service.mjs'),
    await import('./demo/results.mjs'),
  ];
  // The list links to the viewer before the viewer is there: its port is chosen now.
  const viewerPort = await freePort();
  const line = await startLine({ dir, config: withList(viewerPort), say });
  const api = orthancApi(line.orthanc.url);
  const work = async () => {
    const sent = await results.sendAll(films, api, line.orthanc);
    await results.waitForResults(sent, line, api);
    const { report, problems } = await results.makeReport(sent, line, api);
    process.stdout.write(describe(report));
    problems.forEach((problem) => say(`PROBLEM: ${problem}`));
    if (!asked.once) await tellWhereToLook(line, report, viewerPort);
    if (asked.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    return problems.length === 0;
  };
  const isGood = await unlessEnded(line.ended, work());
  if (!asked.once) {
    ending.status = isGood ? 0 : 1;
    await line.ended;
  }
  return isGood;
}

/** The reading list with the embedded database, links into the viewer, and the lungs' outlines for its pages. */
function withList(viewerPort) {
  const viewers = [{ name: 'OHIF', url: `http://127.0.0.1:${viewerPort}/viewer?StudyInstanceUIDs={StudyInstanceUID}` }];
  return { list: { enabled: true, viewers }, results: { segmentation: true } };
}

/** Studies that are linked to at most. */
const MAX_LINKS = 10;

async function tellWhereToLook({ orthanc, service }, { studies }, viewerPort) {
  const lines = [
    ['reading list', `${service.url}/`],
    ['Orthanc Explorer', `${orthanc.url}/app/explorer.html`],
    ['DICOMweb', orthanc.dicomWebUrl],
    ['health', `${service.url}/health/ready`],
    ['log', service.log],
    ...(await viewerLinks(orthanc, studies, viewerPort)),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(([name, place]) => `${name.padEnd(width)}  ${place}`).join('\n');
  process.stdout.write(`\n${text}\n\nAll is left running. Ctrl-C stops it and removes all of it.\n`);
}

async function viewerLinks(orthanc, studies, port) {
  const { default: viewers } = await import('../lib/viewer.cjs');
  try {
    progress(`bringing OHIF ${viewers.VIEWER_VERSION} (48 MB, once)`);
    const viewer = await viewers.startViewer({ dicomWebUrl: orthanc.dicomWebUrl, port });
    const names = studyNames(studies);
    const links = studies.flatMap(({ studyInstanceUid, films }, i) =>
      films.some(({ outputs }) => outputs.length > 0)
        ? [[`  study ${names[i]}`, viewer.studyUrl(studyInstanceUid)]]
        : [],
    );
    return [['OHIF', viewer.url], ...links.slice(0, MAX_LINKS)];
  } catch (error) {
    return [['OHIF', `not available: ${error.message}`]];
  } finally {
    progress();
  }
}

await runMain(main);
// Connections to servers that have been ended would keep it.
process.exit();
