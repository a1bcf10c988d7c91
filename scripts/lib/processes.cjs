/**
 * Child processes and folders that never outlive this process, and free ports. CommonJS, so that jest can require it;
 * Node built-ins only.
 */
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

/** What is ended and removed when this process ends: groups that still run, folders, reserved ports. */
const running = new Set();
const folders = new Set();
const ports = new Set();
let cleaningInstalled = false;

/**
 * Starts a program in a process group of its own, which `signal` ends with this process; what it leaves running in the
 * group is ended with it.
 * @param {string} file
 * @param {string[]} args
 * @param {Omit<import('node:child_process').SpawnOptions, 'signal'> & {signal?: 'SIGKILL' | 'SIGTERM'}} options
 */
function startGroup(file, args, { signal = 'SIGKILL', ...options }) {
  installCleaning();
  const child = spawn(file, args, { ...options, detached: true });
  if (child.pid === undefined) return child;
  const group = { pid: child.pid, signal };
  const guard = startGuard(`kill -s ${signal.slice(3)} -- "-$0"`, String(child.pid));
  running.add(group);
  child.once('exit', () => {
    running.delete(group);
    guard.end();
    signalGroup(group, 'SIGKILL');
  });
  return child;
}

/**
 * Starts a server: a program whose output is appended to a log file.
 * @param {string} file
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, log: string}} options
 */
function startChild(file, args, { env = process.env, cwd, log }) {
  const output = fs.openSync(log, 'a');
  const child = startGroup(file, args, { env, cwd, stdio: ['ignore', output, output] });
  fs.closeSync(output);
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid,
    log,
    ended,
    isRunning: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
  };
}

/** As much of the output of a program that runs to its end as is kept (characters). */
const MAX_OUTPUT = 1_000_000;

/**
 * Runs a program to its end. It is asked to end (SIGTERM) when this process does.
 * @param {string} file
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, timeout?: number}} options `timeout`: milliseconds
 * @returns {Promise<{code: number | string, stdout: string, output: string}>} `code`: the exit status, the signal that
 * ended it, or 127 where it can't be started; `output`: the end of all that it said
 */
function runGroup(file, args, options = {}) {
  return new Promise((resolve) => {
    const child = startGroup(file, args, { ...options, signal: 'SIGTERM', stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, output] = ['', ''];
    const keep = (data) => (output = (output + data).slice(-MAX_OUTPUT));
    child.stdout?.on('data', (data) => (stdout = (stdout + data).slice(-MAX_OUTPUT)));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', (error) => resolve({ code: 127, stdout, output: `${output}\n${error.message}` }));
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'no status', stdout, output }));
  });
}

/**
 * A shell that waits for the end of its input, which is the end of this process however that came about, and then runs
 * a command with `argument` as $0.
 */
function startGuard(command, argument) {
  const guard = spawn('/bin/sh', ['-c', `read -r line || { ${command}; }`, argument], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  // The socket that it is, where there is one.
  if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
  return { pid: guard.pid, end: () => guard.stdin.end('over\n') };
}

/** SIGINT and SIGTERM keep their meaning when somebody else listens to them. */
function installCleaning() {
  if (cleaningInstalled) return;
  cleaningInstalled = true;
  process.on('exit', () => {
    endGroups();
    for (const folder of [...folders]) folder.remove();
    releasePorts();
  });
}

/** Ends all programs that run, at once. */
function endGroups() {
  running.forEach((group) => signalGroup(group, group.signal));
}

function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended already.
  }
}

// --- Folders
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A new folder that goes with this process.
 * @param {string} prefix as of fs.mkdtemp; a name without a path is one in the folder for temporary files
 */
function workFolder(prefix) {
  installCleaning();
  const dir = fs.mkdtempSync(path.resolve(os.tmpdir(), prefix));
  // Later than the programs that write into it, which have guards of their own.
  const guard = startGuard('sleep 1; rm -rf -- "$0"', dir);
  const letGo = () => {
    folders.delete(folder);
    guard.end();
  };
  const folder = {
    dir,
    /** Programs that write into it have ended, or are ending. */
    remove: () => {
      letGo();
      removeFolder(dir);
    },
    /** All but log files is removed. @returns {boolean} whether there is one; else the folder is removed too */
    keepLogs: () => {
      letGo();
      const isKept = pruneToLogs(dir);
      if (!isKept) removeFolder(dir);
      return isKept;
    },
  };
  folders.add(folder);
  return folder;
}

/** A program that was ended a moment ago may still add a file. */
function removeFolder(dir) {
  for (let tries = 0; tries < 40; tries++) {
    try {
      fs.rmSync(dir, { recursive: true, force: true });
    } catch {
      // Tried again.
    }
    if (!fs.existsSync(dir)) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

function pruneToLogs(dir) {
  const kept = fs.readdirSync(dir, { withFileTypes: true }).filter((entry) => {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory() ? pruneToLogs(file) : isLog(file)) return true;
    removeFolder(file);
    return false;
  });
  return kept.length > 0;
}

function isLog(file) {
  return file.endsWith('.log') && (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

// --- Ending
// ---------------------------------------------------------------------------------------------------------------------

/** SIGKILL to the whole group, as a power cut would. */
async function killChild(handle) {
  signalGroup(handle, 'SIGKILL');
  await handle.ended;
}

/** SIGTERM, and SIGKILL when that is not heeded in time. */
async function stopChild(handle, graceMs = 10_000) {
  if (!handle.isRunning()) return;
  process.kill(handle.pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(handle, 'SIGKILL'), graceMs);
  await handle.ended;
  clearTimeout(timer);
}

// --- Ports
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A file for each port that a process of this user has taken, with the process id in it. Tests have folders for
 * temporary files of their own, and this one in common (test/support/temporary-folder.js).
 */
const RESERVED = process.env.HILUM_PORTS_DIR ?? path.join(os.tmpdir(), `hilum-ports-${process.getuid?.() ?? 0}`);

/**
 * A free port below the range that the kernel gives to outgoing connections: there, a client that reconnects to a
 * server which is away can be given that very port as its own, and so connect to itself. Reserved for this process as
 * long as it runs: seconds pass before the server listens, and another test could be given the same port meanwhile.
 */
async function freePort() {
  installCleaning();
  for (let tries = 0; tries < 200; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (reserve(port) && (await isFree(port))) return port;
  }
  throw new Error('no free port between 20000 and 32000');
}

/** False where a process that still runs has it. */
function reserve(port) {
  const file = path.join(RESERVED, String(port));
  try {
    // Each time: a process that ends removes the folder when nothing is left in it.
    fs.mkdirSync(RESERVED, { recursive: true });
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch {
    if (!isLeftOver(file)) return false;
    fs.writeFileSync(file, String(process.pid));
  }
  ports.add(file);
  return true;
}

function releasePorts() {
  try {
    ports.forEach((file) => fs.rmSync(file, { force: true }));
    fs.rmdirSync(RESERVED);
  } catch {
    // Another process has ports of its own there.
  }
}

/** Whether the process that reserved it has ended. */
function isLeftOver(file) {
  try {
    process.kill(Number(fs.readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

// --- Starting
// ---------------------------------------------------------------------------------------------------------------------

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks `probe` until it says yes.
 * @throws Error with the tail of the log when the child ends first, or the time is over.
 */
async function waitUntilReady(name, handle, probe, timeoutMs) {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end) {
    if (!handle.isRunning()) throw failure(`${name} ended while it was starting\n${tail(handle.log)}`);
    if (await probe()) return;
    await sleep(100);
  }
  await killChild(handle);
  throw failure(`${name} did not answer within ${timeoutMs / 1000} s\n${tail(handle.log)}`);
}

/** `explained`: the message is all there is to say, a stack would add nothing. */
const failure = (message) => Object.assign(new Error(message), { explained: true });

/** The end of a log, for a message about what wrote it. */
function tail(file, lines = 25) {
  try {
    return `last lines of ${file}:\n${fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')}`;
  } catch {
    return `${file} can't be read`;
  }
}

module.exports = {
  startChild,
  runGroup,
  killChild,
  stopChild,
  endGroups,
  workFolder,
  freePort,
  portsFolder: RESERVED,
  waitUntilReady,
  tail,
};
