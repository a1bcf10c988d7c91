/** Sends films, waits for their results, and says what became of each. Needs npm packages and the build. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { Explained, ROOT, progress, say } from '../../lib/shell.mjs';

const require = createRequire(import.meta.url);
const { FILM_MODALITIES } = require(path.join(ROOT, 'dist/events/closed-lists.js'));
const { isNoImageClass } = require(path.join(ROOT, 'dist/dicom/sop-class.js'));
const { liveFindings } = require(path.join(ROOT, 'dist/finding/finding.js'));
const { tryParseUid } = require(path.join(ROOT, 'dist/dicom/uid.js'));
const { findingStatement, notAnalysedStatement, percentagesOf, reasonTextOf } = require(
  path.join(ROOT, 'dist/finding/wording.js'),
);

/** Without any new result for so long, what is missing will not come. */
const PATIENCE_MS = 10 * 60_000;
/** Without any new result for so long, it is asked whether anything is still to be done. */
const QUIET_MS = 8_000;
/** Longest wait for the list, which takes results off a queue. */
const LIST_MS = 10_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// --- Sending
// ---------------------------------------------------------------------------------------------------------------------

export async function sendAll({ films, leftOut }, api, orthanc) {
  /** @type {{stored: Record<string, any>[], notStored: Record<string, any>[]}} */
  const sent = { stored: [], notStored: [...leftOut] };
  const firstFile = new Map();
  for (const [i, film] of films.entries()) {
    progress(`storing ${i + 1} of ${films.length}`);
    const answer = await send(film, api, orthanc);
    if (answer.stored) {
      firstFile.set(answer.stored.id, film.file);
      sent.stored.push({ file: film.file, ...answer.stored, at: Date.now() });
    } else {
      const sameAs = answer.id === undefined ? undefined : (firstFile.get(answer.id) ?? "one of Hilum's own results");
      sent.notStored.push({ file: film.file, reason: answer.refused, ...(sameAs === undefined ? {} : { sameAs }) });
    }
  }
  progress();
  say(`stored ${sent.stored.length} of ${films.length + leftOut.length} files in ${studiesOf(sent).size} studies`);
  return sent;
}

/** What concerns one file alone does not end the demo. */
async function send({ read }, api, orthanc) {
  let bytes;
  try {
    bytes = read();
  } catch (error) {
    return { refused: `can't be read (${error.code ?? error.message})` };
  }
  try {
    return await api.store(bytes);
  } catch (error) {
    if (!orthanc.isRunning()) throw error;
    return { refused: `no answer of Orthanc: ${error.cause?.message ?? error.message}` };
  }
}

/** Stored files by Study Instance UID. */
function studiesOf({ stored }) {
  const studies = new Map();
  for (const instance of stored)
    studies.set(instance.studyInstanceUid, [...(studies.get(instance.studyInstanceUid) ?? []), instance]);
  return studies;
}

/**
 * Orthanc stores what has UIDs that are none (PS3.5 section 9.1). No object can refer to such a film, so that the
 * service leaves it alone.
 */
function badUid({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }) {
  const bad = Object.entries({ Study: studyInstanceUid, Series: seriesInstanceUid, SOP: sopInstanceUid }).find(
    ([, uid]) => tryParseUid(uid) === undefined,
  );
  return bad && `its ${bad[0]} Instance UID is no DICOM UID`;
}

/** What the service looks at, by the same rule. */
const isFilm = ({ modality, sopClassUid }) => FILM_MODALITIES.has(modality) && !isNoImageClass(sopClassUid);

// --- Waiting
// ---------------------------------------------------------------------------------------------------------------------

/** Until each study is told of, or nothing is left to do: a study that is none of the service's may have no result. */
export async function waitForResults(sent, { results, rabbit }, api) {
  const studies = [...studiesOf(sent)];
  const isIdle = idleWatch(rabbit, api);
  let [done, last] = [-1, Date.now()];
  for (;;) {
    const dead = await results.deadStudies();
    const now = studies.filter(([uid, instances]) => isSettled(uid, instances, dead, results.events)).length;
    if (now > done) [done, last] = [now, Date.now()];
    const seconds = Math.round((Date.now() - last) / 1000);
    progress(`results of ${now} of ${studies.length} studies, ${seconds} s since the last`);
    if (now === studies.length || Date.now() - last > PATIENCE_MS) break;
    if (Date.now() - last > QUIET_MS && (await isIdle())) break;
    await sleep(500);
  }
  progress();
}

function isSettled(uid, instances, dead, events) {
  return dead.has(uid) || instances.every(badUid) || completingEvent(uid, instances, events) !== undefined;
}

/**
 * Whether all studies are stable in the archive and no message is waiting or in hand, seen twice with a pause: between
 * the two an event may be on its way.
 */
function idleWatch(rabbit, api) {
  let [idle, asked] = [0, 0];
  return async () => {
    if (Date.now() - asked < 2_000) return false;
    idle = (await api.isStable()) && (await isEmpty(rabbit)) ? idle + 1 : 0;
    asked = Date.now();
    return idle > 1;
  };
}

/** Studies that wait, are worked on, or wait for their next try; not those given up. */
async function isEmpty(rabbit) {
  const queues = [...(await rabbit.queues())];
  return queues.every(([name, messages]) => !/^hilum\.study(?!.*\.dead)/.test(name) || messages === 0);
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

// --- The report
// ---------------------------------------------------------------------------------------------------------------------

/** What became of each study, and what should not have become of it. */
export async function makeReport(sent, { results, service }, api) {
  const dead = await results.deadStudies();
  const list = await listOf(service.url, [...studiesOf(sent).keys()].filter(tryParseUid));
  const problems = [];
  const studies = [];
  for (const [studyInstanceUid, instances] of studiesOf(sent)) {
    const event = completingEvent(studyInstanceUid, instances, results.events);
    const reason = dead.get(studyInstanceUid);
    const films = instances.map((instance) => filmReport(instance, event, reason));
    if (films.some(({ outcome }) => outcome === 'failed'))
      problems.push(`study ${studyInstanceUid}: ${reason === undefined ? 'no result' : `given up, ${reason}`}`);
    if (event !== undefined) problems.push(...(await missingOutputs(event, api)));
    studies.push({
      studyInstanceUid,
      ...priorityOf(event, list.get(studyInstanceUid)),
      secondsToResult: secondsToResult(instances, event),
      list: list.get(studyInstanceUid)?.shown ?? 'absent',
      films,
    });
  }
  return { report: { studies: numbered(studies), notStored: sent.notStored }, problems };
}

/** Urgent ones first, as in the reading list; then by what was made of them, those without a radiograph last. */
function numbered(studies) {
  const outcomes = ['analysed', 'failed', 'not-analysed', 'rejected'];
  const filmRank = ({ outcome, isRadiograph }) => outcomes.indexOf(outcome) + (isRadiograph ? 0 : outcomes.length);
  const rank = ({ priority, films }) => (priority === 'urgent' ? -1 : Math.min(...films.map(filmRank)));
  return [...studies].sort((a, b) => rank(a) - rank(b)).map((study, i) => ({ study: i + 1, ...study }));
}

function filmReport(instance, event, deadReason) {
  const { file, sopInstanceUid, modality } = instance;
  const film = event?.films.find((one) => one.sopInstanceUid === sopInstanceUid);
  const nothing = { reason: null, view: null, probability: null, probabilityText: null, outputs: [] };
  const base = { file, sopInstanceUid, modality, isRadiograph: FILM_MODALITIES.has(modality), ...nothing };
  if (film)
    return {
      ...base,
      outcome: film.outcome,
      reason: film.reason && `${film.reason}: ${film.reasonText}`,
      view: film.view,
      probability: film.probability,
      probabilityText: probabilityText(film),
      outputs: film.outputs,
      why: whyOf(film),
    };
  const problem = badUid(instance);
  if (problem) return { ...base, outcome: 'rejected', reason: problem, why: notAnalysedStatement(problem) };
  if (!isFilm(instance)) return { ...base, outcome: 'rejected', ...noFilm(instance) };
  const reason = deadReason ?? 'no result';
  return { ...base, outcome: 'failed', reason, why: `Failed: ${reason}` };
}

/** In per cent, as the list and the report have it: never 0 and never 100 by rounding. */
function probabilityText({ probability }) {
  return probability === null ? null : `${percentagesOf({ probability, operatingPoint: null }).probability} %`;
}

/** Of findings in shadow only the names: their probabilities are in the report, for those who validate them. */
function whyOf({ outcome, reasonText, findings }) {
  if (outcome !== 'analysed') return notAnalysedStatement(reasonText);
  const live = liveFindings(findings);
  const shadow = findings.filter((finding) => !live.includes(finding)).map(({ label }) => label);
  return [
    ...live.map((finding) => findingStatement(finding)),
    ...(shadow.length > 0 ? [`In shadow, in the report only: ${shadow.join(', ')}.`] : []),
  ].join(' ');
}

function noFilm({ modality }) {
  const code = FILM_MODALITIES.has(modality) ? 'no-image' : 'modality';
  return {
    reason: code === 'modality' ? `modality ${modality || 'not stated'}` : code,
    why: notAnalysedStatement(reasonTextOf(code)),
  };
}

/** As the reading list has it: the highest of what order and finding say; null where nobody said anything. */
function priorityOf(event, listed) {
  const urgentBy = [
    ...(listed?.row.urgentBy.includes('order') ? ['order'] : []),
    ...(event?.priority === 'urgent' ? ['finding'] : []),
  ];
  return { priority: urgentBy.length > 0 ? 'urgent' : (event?.priority ?? null), urgentBy };
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

// --- The reading list
// ---------------------------------------------------------------------------------------------------------------------

/** Of each study that the reading list has: its row, and whether that is `shown` or `hidden` by default. */
async function listOf(url, studies) {
  const end = Date.now() + LIST_MS;
  const listed = new Map();
  for (const study of studies) {
    const row = await rowOf(url, study, end);
    if (row !== null) listed.set(study, { row, shown: 'hidden' });
  }
  for (const study of await shownOf(url)) if (listed.has(study)) listed.get(study).shown = 'shown';
  return listed;
}

/** Null where the list has none. A row is waited for until its result has arrived, or the time is over. */
async function rowOf(url, study, end) {
  for (;;) {
    const response = await fetch(`${url}/api/v1/studies/${study}`);
    const answer = await response.json();
    if (response.status === 404) return null;
    if (!response.ok) throw new Explained(`the reading list answers ${response.status}: ${answer.error?.message}`);
    if (answer.row.completedAt !== null || Date.now() > end) return answer.row;
    await sleep(200);
  }
}

/** Study Instance UIDs of all rows that it shows unasked. */
async function shownOf(url) {
  const shown = [];
  for (let cursor = ''; cursor !== null;) {
    const query = `limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { rows, next } = await (await fetch(`${url}/api/v1/studies?${query}`)).json();
    shown.push(...rows.map(({ studyInstanceUid }) => studyInstanceUid));
    cursor = next;
  }
  return shown;
}
