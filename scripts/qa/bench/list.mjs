/**
 * `npm run bench -- --list [--rows N] [--json]`: the reading list with 100,000 studies, on the embedded database and,
 * where Debian's package is installed, on PostgreSQL. Each page, filter, search and count is asked several times
 * through the built `Worklist`.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ROOT, say } from '../../lib/shell.mjs';
import { stopper } from '../../lib/stopper.mjs';
import { listSelections } from './list-requests.mjs';
import { listRows } from './list-rows.mjs';
import { table } from './table.mjs';

const require = createRequire(import.meta.url);
const BATCH = 200;
const REPEATS = 5;
/** Rows of the page that the pages of the list ask for, and of the longest one. */
const LIMITS = [100, 1_000];
const RESOLUTION_MS = 1;

/** @param {{rows: number, json: boolean}} options */
export async function benchList({ rows, json }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-bench-list-'));
  const parts = stopper();
  try {
    /** @type {{rows: number, machine?: string, databases: Record<string, object>}} */
    const result = { rows, machine: os.cpus()[0]?.model, databases: {} };
    const sqlite = `file:${path.join(dir, 'list.db')}`;
    result.databases.libsql = await measureOn('libsql', sqlite, rows);
    const server = await postgres(path.join(dir, 'postgres'), parts.add);
    if (server === null) say('no PostgreSQL: not installed (npm run setup -- servers)');
    else result.databases.postgres = await measureOn('PostgreSQL', await server.database('bench'), rows);
    process.stdout.write(`${tableOf(result).join('\n')}\n`);
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return 0;
  } finally {
    await parts.all();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Null where it is not installed. */
async function postgres(dir, onStarted) {
  if (!fs.existsSync('/usr/lib/postgresql')) return null;
  require('../../lib/typescript.cjs');
  const { Postgres } = require('../../../test/support/servers/postgres.ts');
  fs.chmodSync(path.dirname(dir), 0o755);
  fs.mkdirSync(dir);
  const server = await Postgres.start(dir);
  onStarted(server);
  return server;
}

async function measureOn(name, url, rows) {
  const { openDatabase } = require(path.join(ROOT, 'dist/worklist/database.js'));
  const { Worklist } = require(path.join(ROOT, 'dist/worklist/worklist.js'));
  const log = { info() {}, warn: (/** @type {object} */ _fields, text) => say(text), error() {}, debug() {} };
  const database = openDatabase(url, log);
  try {
    say(`${name}: filling ${rows} rows`);
    const now = Date.now();
    const row = await fill(database, rows, now);
    say(`${name}: measuring`);
    return await measure(new Worklist(database), row, now);
  } finally {
    await database.close();
  }
}

/** Resolves to the row that searches look for: in the middle of the oldest year. */
async function fill(database, rows, now) {
  const record = exampleRecord();
  /** @type {Record<string, any>[]} */
  let batch = [];
  /** @type {Record<string, any> | null} */
  let sample = null;
  const write = () =>
    database.write(async (transaction) => {
      await transaction.insertInto('study').values(batch).execute();
      const judged = batch.filter(({ verdict }) => verdict !== null);
      if (judged.length > 0) await transaction.insertInto('verdict').values(judged.map(verdictOf)).execute();
      batch = [];
    });
  let count = 0;
  for (const row of listRows(rows, now, record)) {
    if (++count === Math.ceil(rows / 20)) sample = row;
    batch.push(row);
    if (batch.length === BATCH) await write();
  }
  if (batch.length > 0) await write();
  return sample;
}

/** @param {Record<string, any>} row */
const verdictOf = ({ change, study_uid, verdict, record_key }) => ({
  change,
  study_uid,
  record_key,
  verdict,
  note: '',
  by_user: 'bench',
  at: change,
});

/** Of two films. */
function exampleRecord() {
  require('../../lib/typescript.cjs');
  const { filmRecord, studyRecord } = require('../../../test/support/records/study-record.ts');
  return JSON.stringify(studyRecord('bench', { films: [filmRecord('one'), filmRecord('two')] }));
}

async function measure(worklist, row, now) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const timings = [];
  const take = async (group, name, ask) => {
    const times = [];
    for (let i = 0; i < REPEATS; i++) {
      const started = performance.now();
      await ask();
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    timings.push({ group, name, p50Ms: times[REPEATS >> 1], maxMs: times.at(-1) });
  };
  const cursors = await cursorsOf(worklist);
  for (const { group, name, selection } of listSelections(row, now)) {
    for (const { order, place, cursor } of cursors)
      for (const limit of LIMITS)
        await take(`page of ${limit}: ${group}`, `${name}, ${order} first, ${place}`, () =>
          worklist.page({ ...selection, order, limit, ...(cursor === null ? {} : { cursor }) }),
        );
    await take(`count: ${group}`, name, () => worklist.count(selection));
  }
  await measureOthers(worklist, row, now, take);
  delay.disable();
  return { timings, eventLoopDelayMaxMs: delay.max / 1e6 - RESOLUTION_MS };
}

/** What the pages, live updates and the watch over attributes ask beside pages. */
async function measureOthers(worklist, row, now, take) {
  const last = await worklist.lastChange();
  for (const [name, ask] of Object.entries({
    counts: () => worklist.counts(),
    agreement: () => worklist.agreement(),
    'completed per hour': () => worklist.completedPerHour(now - 24 * 3_600_000),
    'last change': () => worklist.lastChange(),
    'changes since the last': () => worklist.changesSince(last),
    'the first 500 changes': () => worklist.changesSince(0),
    'a study': () => worklist.study(row.study_uid),
    'known study': () => worklist.known(row.study_uid),
    'corrections to announce': () => worklist.pendingCorrections(),
  }))
    await take('others', name, ask);
}

/** The beginning of each order, and behind half and 95 of 100 rows: a cursor holds whatever is filtered by. */
async function cursorsOf(worklist) {
  const { studies } = await worklist.count({ searchPatient: false });
  const found = [];
  for (const order of ['oldest', 'newest']) {
    found.push({ order, place: 'at the beginning', cursor: null });
    let cursor = null;
    for (let at = 1_000; at < 0.95 * studies; at += 1_000) {
      const page = { searchPatient: false, order, limit: 1_000, ...(cursor === null ? {} : { cursor }) };
      cursor = (await worklist.page(page)).next;
      if (at >= studies / 2 && at < studies / 2 + 1_000) found.push({ order, place: 'in the middle', cursor });
    }
    found.push({ order, place: 'at the end', cursor });
  }
  return found;
}

/** The medians' greatest, and the greatest of all, of each group. */
function tableOf({ rows, databases }) {
  return Object.entries(databases).flatMap(([name, { timings, eventLoopDelayMaxMs }]) => [
    `${name}, ${rows} rows; milliseconds of ${REPEATS} repeats of each`,
    ...table([['', 'asked', 'p50', 'greatest p50', 'max', 'the slowest'], ...groupsOf(timings)]),
    `longest delay of the event loop meanwhile: ${eventLoopDelayMaxMs.toFixed(0)} ms`,
    '',
  ]);
}

function groupsOf(timings) {
  return [...new Set(timings.map(({ group }) => group))].map((group) => {
    const own = timings.filter((timing) => timing.group === group).sort((a, b) => a.p50Ms - b.p50Ms);
    const slowest = own.at(-1);
    const max = Math.max(...own.map(({ maxMs }) => maxMs));
    return [
      group,
      String(own.length),
      ...[own[own.length >> 1].p50Ms, slowest.p50Ms, max].map((value) => value.toFixed(1)),
      slowest.name,
    ];
  });
}
