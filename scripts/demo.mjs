#!/usr/bin/env node
/**
 * `npm run demo [-- --films DIR] [--once] [--json]`: the whole line on this machine. Installs what is missing, starts
 * RabbitMQ, Orthanc and the service, stores films, waits for their results, prints a table and where to look, and
 * leaves all running until Ctrl-C.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ensure } from './install.mjs';
import { Explained, ROOT, runMain, say } from './lib/shell.mjs';
import { stopper } from './lib/stopper.mjs';

const require = createRequire(import.meta.url);

const USAGE = `npm run demo [-- OPTIONS]

  --films DIR   DICOM files of your own, sent as they are; by default films that are drawn
  --once        stop everything after the table
  --json        the table as one JSON document on the last line
`;

/** Without any new result for so long, what is missing will not come. */
const PATIENCE_MS = 10 * 60_000;

async function main() {
  const { values } = parseArgs({
    options: {
      films: { type: 'string' },
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const films = values.films === undefined ? undefined : listFiles(values.films);
  await ensure({ servers: true });
  const stop = stopper();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-demo-'));
  try {
    const ok = await demonstrate(dir, films ?? drawnFilms(), values, stop);
    await stop.all();
    fs.rmSync(dir, { recursive: true, force: true });
    return ok ? 0 : 1;
  } catch (error) {
    await stop.all();
    say(`logs and data are left in ${dir}`);
    throw error;
  }
}

async function demonstrate(dir, films, { once, json }, stop) {
  const { startLine, orthancApi } = await import('./lib/service.mjs');
  const { default: processes } = await import('./lib/processes.cjs');
  // The list links to the viewer before the viewer is there: its port is chosen now.
  const viewerPort = await processes.freePort();
  const line = await startLine({ dir, config: withList(viewerPort), say, onStarted: stop.add });
  const api = orthancApi(line.orthanc.url);
  const sent = await sendAll(films, api);
  await waitForResults(sent, line);
  const { report, problems } = await makeReport(sent, line, api);
  process.stdout.write(describe(report));
  problems.forEach((problem) => say(`PROBLEM: ${problem}`));
  if (problems.length > 0) keepLog(line.service.log);
  if (!once) await tellWhereToLook(line, report, stop, viewerPort);
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  if (!once) await stop.asked;
  return problems.length === 0;
}

/** The reading list with the embedded database, links into the viewer, and the lungs' outlines for its pages. */
function withList(viewerPort) {
  const viewers = [{ name: 'OHIF', url: `http://127.0.0.1:${viewerPort}/viewer?StudyInstanceUIDs={StudyInstanceUID}` }];
  return { list: { enabled: true, viewers }, results: { segmentation: true } };
}

// --- Films
// ---------------------------------------------------------------------------------------------------------------------

/** `npm run` changes to the clone's folder; INIT_CWD is where the user was. */
function listFiles(given) {
  const folder = path.resolve(process.env.INIT_CWD ?? '.', given);
  const info = fs.statSync(folder, { throwIfNoEntry: false });
  if (info === undefined) throw new Explained(`there is no ${folder}`);
  const names = info.isDirectory()
    ? fs.readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name))
    : [folder];
  const files = names.filter((name) => fs.statSync(name).isFile()).sort();
  if (files.length === 0) throw new Explained(`${folder} holds no file`);
  return files.map((file) => ({
    file: path.relative(folder, file) || path.basename(file),
    read: () => fs.readFileSync(file),
  }));
}

/**
 * Three studies, one of them with a lateral film. Drawings for the plumbing: whatever the models say of them is fine.
 */
function drawnFilms() {
  const { syntheticDicom } = require(path.join(ROOT, 'dist/objects/synthetic-film.js'));
  const films = [
    { seed: 1, view: 'PA', modality: 'DX', rows: 1280, columns: 1100 },
    { seed: 1, view: 'LL', modality: 'DX', rows: 1280, columns: 1100 },
    { seed: 2, view: 'AP', modality: 'CR', rows: 1024, columns: 1024 },
    { seed: 3, view: 'PA', modality: 'CR', rows: 1440, columns: 1200 },
  ];
  return films.map((film) => ({ file: `drawn film ${film.seed} ${film.view}`, read: () => syntheticDicom(film) }));
}

async function sendAll(films, api) {
  const sent = { stored: [], notStored: [] };
  const firstFile = new Map();
  for (const [i, { file, read }] of films.entries()) {
    progress(`storing ${i + 1} of ${films.length}`);
    const answer = await api.store(read());
    if (answer.stored) {
      firstFile.set(answer.stored.id, file);
      sent.stored.push({ file, ...answer.stored, at: Date.now() });
    } else {
      const repeated = answer.id === undefined ? '' : ` (${firstFile.get(answer.id) ?? "one of Hilum's own results"})`;
      sent.notStored.push({ file, reason: answer.refused + repeated });
    }
  }
  progress();
  say(`stored ${sent.stored.length} of ${films.length} files in ${studiesOf(sent).size} studies`);
  return sent;
}

/** Stored files by Study Instance UID. */
function studiesOf({ stored }) {
  const studies = new Map();
  for (const instance of stored)
    studies.set(instance.studyInstanceUid, [...(studies.get(instance.studyInstanceUid) ?? []), instance]);
  return studies;
}

const isFilm = ({ modality }) => modality === 'CR' || modality === 'DX';

/**
 * Orthanc stores what has UIDs that are none (PS3.5 section 9.1). No object can refer to such a film, so that the
 * service leaves it alone.
 */
function badUid({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }) {
  const { tryParseUid } = require(path.join(ROOT, 'dist/dicom/uid.js'));
  const bad = Object.entries({ Study: studyInstanceUid, Series: seriesInstanceUid, SOP: sopInstanceUid }).find(
    ([, uid]) => tryParseUid(uid) === undefined,
  );
  return bad && `unreadable: its ${bad[0]} Instance UID ${bad[1]} is no DICOM UID`;
}

// --- Results
// ---------------------------------------------------------------------------------------------------------------------

async function waitForResults(sent, { results, service }) {
  const studies = studiesOf(sent);
  let [done, last] = [-1, Date.now()];
  for (;;) {
    const dead = await results.deadStudies();
    const now = [...studies].filter(
      ([uid, instances]) =>
        dead.has(uid) || instances.every(badUid) || completingEvent(uid, instances, results.events) !== undefined,
    ).length;
    if (now > done) [done, last] = [now, Date.now()];
    progress(
      `results of ${now} of ${studies.size} studies, ${Math.round((Date.now() - last) / 1000)} s since the last`,
    );
    if (now === studies.size) break;
    if (!service.isRunning()) throw new Explained(`the service has ended; its log is ${service.log}`);
    if (Date.now() - last > PATIENCE_MS) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  progress();
}

/** The first event that tells of every film of the study; of a study without films, the first one. */
function completingEvent(study, instances, events) {
  const films = instances
    .filter((instance) => isFilm(instance) && !badUid(instance))
    .map(({ sopInstanceUid }) => sopInstanceUid);
  return events.find(
    (event) =>
      event.studyInstanceUid === study && films.every((uid) => event.films.some((film) => film.sopInstanceUid === uid)),
  );
}

async function makeReport(sent, { results }, api) {
  const dead = await results.deadStudies();
  const problems = [];
  const studies = [];
  for (const [studyInstanceUid, instances] of studiesOf(sent)) {
    const event = completingEvent(studyInstanceUid, instances, results.events);
    if (instances.every(badUid)) say(`study ${studyInstanceUid}: ${badUid(instances[0])}`);
    else if (event === undefined)
      problems.push(
        `study ${studyInstanceUid}: ` +
          (dead.has(studyInstanceUid) ? `given up, ${dead.get(studyInstanceUid)}` : 'no result'),
      );
    else problems.push(...(await missingOutputs(event, api)));
    studies.push({
      studyInstanceUid,
      priority: event?.priority ?? null,
      secondsToResult: secondsToResult(instances, event),
      films: instances.map((instance) => filmReport(instance, event, dead.get(studyInstanceUid))),
    });
  }
  return { report: { studies, notStored: sent.notStored }, problems };
}

function filmReport(instance, event, deadReason) {
  const { sopInstanceUid, modality } = instance;
  const base = {
    sopInstanceUid,
    outcome: 'failed',
    reason: deadReason ?? 'no result',
    view: null,
    probability: null,
    outputs: [],
  };
  const film = event?.films.find((one) => one.sopInstanceUid === sopInstanceUid);
  if (film)
    return {
      ...base,
      outcome: film.outcome,
      reason: film.reason && `${film.reason}: ${film.reasonText}`,
      view: film.view,
      probability: film.probability,
      outputs: film.outputs,
    };
  if (badUid(instance)) return { ...base, outcome: 'rejected', reason: badUid(instance) };
  return event && !isFilm(instance)
    ? { ...base, outcome: 'rejected', reason: `modality ${modality || 'not stated'}` }
    : base;
}

/** From the last film's acceptance by Orthanc to the moment when all its results were verified as stored. */
function secondsToResult(instances, event) {
  const films = instances.some(isFilm) ? instances.filter(isFilm) : instances;
  return event === undefined
    ? null
    : Math.max(0, Math.round((Date.parse(event.completedAt) - Math.max(...films.map(({ at }) => at))) / 10) / 100);
}

async function missingOutputs({ films }, api) {
  const problems = [];
  for (const { sopInstanceUid } of films.flatMap(({ outputs }) => outputs)) {
    if (!(await api.has(sopInstanceUid)))
      problems.push(`the result ${sopInstanceUid} was announced, and Orthanc does not have it`);
  }
  for (const film of films) {
    if (film.outcome === 'analysed' && film.outputs.length < 2)
      problems.push(`film ${film.sopInstanceUid} is called analysed, and lacks a heat map or a report`);
  }
  return problems;
}

// --- Showing
// ---------------------------------------------------------------------------------------------------------------------

/** A line that overwrites itself on a terminal; elsewhere one now and then. Without text the line is done. */
let lastPlain = 0;
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(text === undefined ? '\r\x1b[K' : `\r\x1b[K${text}`);
  else if (text !== undefined && Date.now() - lastPlain > 10_000) {
    lastPlain = Date.now();
    say(text);
  }
}

function describe({ studies, notStored }) {
  const rows = studies.flatMap((study) => studyRows(study));
  const head = ['study', 'view', 'outcome', 'probability', 'priority', 'outputs', 'seconds'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
  const refused =
    notStored.length === 0
      ? ''
      : `\nnot stored:\n${notStored.map(({ file, reason }) => `  ${file}: ${reason}`).join('\n')}\n`;
  return `\n${[line(head), ...rows.map(line)].join('\n')}\n${refused}\nResearch use only, not for diagnosis.\n`;
}

/** One row per film; what is no film is one row per study. */
function studyRows({ studyInstanceUid, priority, secondsToResult: seconds, films }) {
  const others = new Map();
  const rows = [];
  for (const film of films) {
    if (film.outcome === 'rejected' && film.reason.startsWith('modality ') && film.outputs.length === 0)
      others.set(film.reason, (others.get(film.reason) ?? 0) + 1);
    else
      rows.push([
        film.view ?? '-',
        film.outcome === 'analysed' ? film.outcome : cut(`${film.outcome}: ${film.reason}`, 78),
        film.probability === null ? '-' : `${(film.probability * 100).toFixed(1)} %`,
        String(film.outputs.length),
      ]);
  }
  for (const [reason, count] of others) rows.push(['-', `no film: ${count} x ${reason}`, '-', '0']);
  return rows.map(([view, outcome, probability, outputs], i) => [
    i === 0 ? shorten(studyInstanceUid) : '',
    view,
    outcome,
    probability,
    i === 0 ? (priority ?? '-') : '',
    outputs,
    i === 0 && seconds !== null ? seconds.toFixed(1) : '',
  ]);
}

const cut = (text, length) => (text.length <= length ? text : `${text.slice(0, length - 3)}...`);

const shorten = (uid) => (uid.length <= 24 ? uid : `${uid.slice(0, 8)}...${uid.slice(-13)}`);

async function tellWhereToLook({ orthanc, service }, { studies }, stop, viewerPort) {
  const withResults = studies
    .filter(({ films }) => films.some(({ outputs }) => outputs.length > 0))
    .map(({ studyInstanceUid }) => studyInstanceUid);
  const lines = [
    `reading list      ${service.url}/`,
    `Orthanc Explorer  ${orthanc.url}/app/explorer.html`,
    `DICOMweb          ${orthanc.dicomWebUrl}`,
    `health            ${service.url}/health/ready`,
  ];
  try {
    const { default: viewers } = await import('./lib/viewer.cjs');
    progress(`bringing OHIF ${viewers.VIEWER_VERSION} (48 MB, once)`);
    const viewer = await viewers.startViewer({ dicomWebUrl: orthanc.dicomWebUrl, port: viewerPort });
    stop.add(viewer);
    lines.push(
      `OHIF              ${viewer.url}`,
      ...withResults.slice(0, 10).map((uid) => `                  ${viewer.studyUrl(uid)}`),
    );
  } catch (error) {
    lines.push(`OHIF              not available: ${error.message}`);
  }
  progress();
  process.stdout.write(`\n${lines.join('\n')}\n\nAll is left running. Ctrl-C stops it.\n`);
}

function keepLog(log) {
  const copy = path.join(os.tmpdir(), `hilum-demo-${process.pid}.log`);
  fs.copyFileSync(log, copy);
  say(`the service's log: ${copy}`);
}

await runMain(main);
