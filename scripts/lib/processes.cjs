/**
 * Child processes that never outlive their parent, and free ports for them. CommonJS, so that jest can require it; Node
 * built-ins only.
 */
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

/** Groups that still run, for the last cleaning when this process ends. */
const running = new Set();
let cleaningInstalled = false;

/**
 * Starts a program in a process group of its own, its output appended to a log file.
 * @param {string} file
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, log: string}} options
 */
function startChild(file, args, { env = process.env, cwd, log }) {
  installCleaning();
  const output = fs.openSync(log, 'a');
  const child = spawn(file, args, { env, cwd, detached: true, stdio: ['ignore', output, output] });
  fs.closeSync(output);
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const handle = {
    pid: child.pid,
    log,
    ended,
    isRunning: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
  };
  if (child.pid === undefined) return handle;
  const guard = startGuard(child.pid);
  running.add(handle);
  void ended.then(() => {
    running.delete(handle);
    guard.end();
    signalGroup(handle, 'SIGKILL');
  });
  return handle;
}

/**
 * A shell that waits for the end of its input, which is the end of this process however that came about, and then ends
 * the group.
 */
function startGuard(groupId) {
  const guard = spawn('/bin/sh', ['-c', 'read -r line || kill -s KILL -- "-$0"', String(groupId)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  guard.stdin.unref?.();
  return { end: () => guard.stdin.end('over\n') };
}

/** Ends all children with this process. SIGINT and SIGTERM keep their meaning when somebody else listens to them. */
function installCleaning() {
  if (cleaningInstalled) return;
  cleaningInstalled = true;
  process.on('exit', () => running.forEach((handle) => signalGroup(handle, 'SIGKILL')));
}

function signalGroup(handle, signal) {
  try {
    process.kill(-handle.pid, signal);
  } catch {
    // The group has ended already.
  }
}

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

/** A file for each port that a process of this user has taken, with the process id in it. */
const RESERVED = path.join(os.tmpdir(), `hilum-ports-${process.getuid()}`);

/**
 * A free port below the range that the kernel gives to outgoing connections: there, a client that reconnects to a
 * server which is away can be given that very port as its own, and so connect to itself. Reserved for this process as
 * long as it runs: seconds pass before the server listens, and another test could be given the same port meanwhile.
 */
async function freePort() {
  fs.mkdirSync(RESERVED, { recursive: true });
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
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch {
    if (!isLeftOver(file)) return false;
    fs.writeFileSync(file, String(process.pid));
  }
  return true;
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

module.exports = { startChild, killChild, stopChild, freePort, waitUntilReady, tail };
