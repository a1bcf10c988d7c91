/**
 * A real RabbitMQ and a real Orthanc for tests, the demo and the benchmark: each in a folder and on free loopback ports
 * of its own. They take the programs of Debian's packages and none of Debian's configuration. CommonJS, so that jest
 * can require it.
 */
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { startChild, runGroup, killChild, stopChild, freePort, waitUntilReady } = require('./processes.cjs');

const RABBIT = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const RABBIT_CONTROL = '/usr/lib/rabbitmq/bin/rabbitmqctl';
const ORTHANC_PLUGINS = '/usr/share/orthanc/plugins';
const PLUGIN_SCRIPT = path.resolve(__dirname, '../../plugin/orthanc/hilum_orthanc.py');
const START_TIMEOUT_MS = 120_000;

/** See servers.d.cts. */
async function startRabbit({ dir, port, advanced = '[].', timeoutMs = START_TIMEOUT_MS }) {
  fs.mkdirSync(dir, { recursive: true });
  const ports = { amqp: port ?? (await freePort()), dist: await freePort(), epmd: await freePort() };
  const env = rabbitEnvironment(dir, ports, advanced);
  const epmd = startChild('epmd', ['-address', '127.0.0.1', '-port', String(ports.epmd)], {
    env,
    log: path.join(dir, 'epmd.log'),
  });
  const server = await startServer({
    name: 'RabbitMQ',
    start: () => startChild(RABBIT, [], { env, cwd: dir, log: path.join(dir, 'rabbitmq.log') }),
    probe: () => answersAmqp(ports.amqp),
    timeoutMs,
  }).catch(async (error) => {
    await killChild(epmd);
    throw error;
  });
  return {
    ...server,
    get pid() {
      return server.pid;
    },
    amqpUrl: `amqp://guest:guest@127.0.0.1:${ports.amqp}`,
    port: ports.amqp,
    dir,
    queues: () => listQueues(env),
    ctl: (...args) => rabbitCtl(args, env),
    stop: async () => {
      await server.stop();
      await stopChild(epmd);
    },
  };
}

/**
 * Everything that RabbitMQ would else take from /etc or the user's home, and loopback addresses for all that listens.
 */
function rabbitEnvironment(dir, ports, advanced) {
  fs.writeFileSync(
    path.join(dir, 'rabbitmq.conf'),
    `listeners.tcp.default = 127.0.0.1:${ports.amqp}\nlog.console = true\nlog.console.level = info\nlog.file = false\n`,
  );
  fs.writeFileSync(path.join(dir, 'advanced.config'), `${advanced}\n`);
  fs.writeFileSync(path.join(dir, 'enabled_plugins'), '[].\n');
  fs.writeFileSync(path.join(dir, 'rabbitmq-env.conf'), '');
  return {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    HOME: dir,
    // Makes the start script become the server instead of waiting beside it: the pid is the server's, and SIGTERM a
    // clean stop.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_NODENAME: `hilum-${ports.amqp}@localhost`,
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: String(ports.dist),
    RABBITMQ_MNESIA_BASE: path.join(dir, 'mnesia'),
    RABBITMQ_LOG_BASE: path.join(dir, 'log'),
    RABBITMQ_CONFIG_FILE: path.join(dir, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: path.join(dir, 'advanced.config'),
    RABBITMQ_CONF_ENV_FILE: path.join(dir, 'rabbitmq-env.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(dir, 'enabled_plugins'),
    // +sbwt none: idle schedulers sleep at once instead of spinning, which matters beside a model on few cores.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
}

/** As the broker itself tells; takes a second or more, as the tool is a node of Erlang's. */
async function listQueues(env) {
  const output = await rabbitCtl(['--quiet', '--formatter', 'json', 'list_queues', 'name', 'messages'], env);
  return new Map(JSON.parse(output).map(({ name, messages }) => [name, messages]));
}

/** See servers.d.cts. */
async function rabbitCtl(args, env) {
  const { code, stdout, output } = await runGroup(RABBIT_CONTROL, args, { env, timeout: 120_000 });
  if (code !== 0) throw new Error(`rabbitmqctl ${args.join(' ')} (${code}): ${output}`);
  return stdout;
}

/** Whether a broker answers the protocol header with Connection.Start (a method frame, type 1). */
function answersAmqp(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => finish(false));
    socket.once('connect', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')));
    socket.once('data', (data) => finish(data[0] === 1));
    socket.once('error', () => finish(false));
    socket.once('close', () => resolve(false));
  });
}

/** See servers.d.cts. */
async function startOrthanc({
  dir,
  amqpUrl,
  plugin = amqpUrl !== undefined,
  users,
  stableAge = 1,
  config = {},
  env = {},
  port,
  dicomPort,
  timeoutMs = START_TIMEOUT_MS,
}) {
  fs.mkdirSync(dir, { recursive: true });
  const ports = { http: port ?? (await freePort()), dicom: dicomPort ?? (await freePort()) };
  const file = path.join(dir, 'orthanc.json');
  fs.writeFileSync(
    file,
    JSON.stringify(orthancConfig({ dir, amqpUrl, plugin, users, stableAge, ports, config }), null, 2),
    { mode: 0o600 },
  );
  const url = `http://127.0.0.1:${ports.http}`;
  const server = await startServer({
    name: 'Orthanc',
    start: () =>
      startChild('Orthanc', [file], { env: { ...process.env, ...env }, cwd: dir, log: path.join(dir, 'orthanc.log') }),
    probe: () => answersHttp(`${url}/system`),
    timeoutMs,
  });
  return {
    ...server,
    get pid() {
      return server.pid;
    },
    url,
    dicomWebUrl: `${url}/dicom-web`,
    port: ports.http,
    dicomPort: ports.dicom,
    aet: 'HILUMTEST',
    dir,
  };
}

/**
 * Loopback only: HTTP refuses other hosts, and DICOM knows one modality, LOCAL at 127.0.0.1, checked by its address.
 */
function orthancConfig({ dir, amqpUrl, plugin, users, stableAge, ports, config }) {
  const binaries = ['libOrthancDicomWeb.so', ...(plugin ? ['libOrthancPython.so'] : [])];
  return {
    Name: 'Hilum',
    StorageDirectory: path.join(dir, 'storage'),
    IndexDirectory: path.join(dir, 'storage'),
    Plugins: binaries.map((name) => path.join(ORTHANC_PLUGINS, name)),
    HttpPort: ports.http,
    DicomPort: ports.dicom,
    DicomAet: 'HILUMTEST',
    RemoteAccessAllowed: false,
    AuthenticationEnabled: users !== undefined,
    RegisteredUsers: users ?? {},
    DicomAlwaysAllowEcho: false,
    DicomAlwaysAllowStore: false,
    DicomCheckModalityHost: true,
    DicomModalities: { local: ['LOCAL', '127.0.0.1', ports.dicom] },
    StableAge: stableAge,
    HttpThreadsCount: 8,
    DicomWeb: { Enable: true, Root: '/dicom-web/', StudiesMetadata: 'Full', SeriesMetadata: 'Full' },
    ...(plugin ? { PythonScript: PLUGIN_SCRIPT, PythonVerbose: false } : {}),
    ...(plugin && amqpUrl !== undefined ? { Hilum: { AmqpUrl: amqpUrl } } : {}),
    ...config,
  };
}

/** Whether an HTTP server answers at all; 401 counts, as it takes an Orthanc to say so. */
async function answersHttp(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status === 200 || response.status === 401;
  } catch {
    return false;
  }
}

/** Start, kill, restart and stop, the same for every server. A restart keeps ports and data. */
async function startServer({ name, start, probe, timeoutMs, graceMs }) {
  let child;
  const launch = async () => {
    child = start();
    await waitUntilReady(name, child, probe, timeoutMs);
  };
  await launch();
  return {
    get pid() {
      return child.pid;
    },
    get log() {
      return child.log;
    },
    isRunning: () => child.isRunning(),
    ended: () => child.ended,
    kill: () => killChild(child),
    restart: async () => {
      await stopChild(child, graceMs);
      await launch();
    },
    start: launch,
    stop: () => stopChild(child, graceMs),
  };
}

module.exports = { startRabbit, startOrthanc, startServer, freePort };
