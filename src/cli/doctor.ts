import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openArchive } from '../app/archive';
import { openSinks, sinkQueuesOf } from '../app/deliveries';
import { SHIPPED_MODELS } from '../app/installed';
import { freeBytes } from '../base/disk';
import { describeError } from '../base/errors';
import { createLog } from '../base/log';
import { type Config, readConfig } from '../config/config';
import type { Role } from '../config/roles';
import type { ModelManifest } from '../model/manifest';
import { openModel } from '../model/session';
import { requireFit } from '../pipeline/fit';
import { type Broker, connectBroker } from '../queue/broker';
import type { Sink } from '../sinks/sink';
import { isExposed } from '../web/config';

/** One thing looked at. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** What is so, and where it is wrong, what to do. */
  readonly text: string;
}

const LEAST_FREE_BYTES = 1024 ** 3;
const GREATEST_CLOCK_DIFFERENCE_S = 60;
const BROKER_WAIT_MS = 10_000;

/**
 * Looks at everything that the service needs for its roles and says in plain words what is wrong. Resolves to 1 when something is.
 */
export async function doctor(options: { config: string; json: boolean }): Promise<number> {
  const findings = await examine(options.config);
  for (const { check, ok, text } of findings)
    process.stdout.write(
      options.json ? `${JSON.stringify({ check, ok, text })}\n` : `${ok ? 'ok   ' : 'WRONG'} ${check}: ${text}\n`,
    );
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

async function examine(path: string): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig(path);
  } catch (error) {
    return [{ check: 'configuration', ok: false, text: describeError(error) }];
  }
  const has = (role: Role) => config.roles.includes(role);
  const parts = [
    examineArchive(config),
    examineBroker(config),
    ...(has('sinks') ? [examineReceivers(config)] : []),
    ...(has('worker') ? [examineModels(config)] : []),
    examineDisk(config),
    ...(has('worker') ? [examineClock(config)] : []),
    examineAccess(config),
  ];
  return [{ check: 'configuration', ok: true, text: `${path} is valid` }, ...(await Promise.all(parts)).flat()];
}

async function examineArchive(config: Config): Promise<Finding[]> {
  const archive = openArchive(config);
  try {
    return (await archive.probe()).map(({ check, ok, text }) => ({ check: `archive: ${check}`, ok, text }));
  } finally {
    await archive.close();
  }
}

/**
 * Connecting declares the topology: the rights to configure, and queues of our names with other arguments, show at
 * once.
 */
async function examineBroker(config: Config): Promise<Finding[]> {
  const broker = connectBroker({ ...config.broker, ...sinkQueuesOf(config) }, createLog('silent'));
  try {
    await broker.ready(BROKER_WAIT_MS);
    const dead = await broker.depth(broker.topology.dead.name);
    const waiting = await broker.depth();
    return [
      { check: 'broker', ok: true, text: 'connected and signed in' },
      { check: 'broker: topology', ok: true, text: `all exchanges and queues are there; ${waiting} studies wait` },
      {
        check: 'broker: dead letters',
        ok: dead === 0,
        text:
          dead === 0
            ? 'none'
            : `${dead} studies were given up on: "hilum dead list" tells which and why, "hilum dead replay" tries again once the cause is mended`,
      },
      ...(await examineSinkQueues(broker)),
    ];
  } catch (error) {
    return [
      {
        check: 'broker',
        ok: false,
        text: `${describeError(error)}: check broker.url, the account and its rights to configure, write and read`,
      },
    ];
  } finally {
    await broker.stop(0);
  }
}

/** Connects to each system that results are delivered to, and delivers nothing. */
async function examineReceivers(config: Config): Promise<Finding[]> {
  let sinks: Sink[];
  try {
    sinks = openSinks(config);
  } catch (error) {
    return [{ check: 'receivers', ok: false, text: describeError(error) }];
  }
  return Promise.all(
    sinks.map(async (sink): Promise<Finding> => {
      const check = `receiver: ${sink.name}`;
      try {
        await sink.probe?.();
        return { check, ok: true, text: sink.probe === undefined ? 'not tried' : 'connected' };
      } catch (error) {
        return { check, ok: false, text: `${describeError(error)}: check deliveries.${sink.name}` };
      } finally {
        await sink.close?.();
      }
    }),
  );
}

/** Dead letters of each sink, and queues that fill although nobody reads them. */
async function examineSinkQueues(broker: Broker): Promise<Finding[]> {
  const check = (sink: string) => `deliveries: ${sink}`;
  const on = (await broker.sinkDepths()).map(({ sink, waiting, retry, dead }): Finding => {
    const text = `${waiting} results wait, ${retry} for another try`;
    return {
      check: check(sink),
      ok: dead === 0,
      text:
        dead === 0
          ? text
          : `${text}; ${dead} were given up: "hilum dead list --queue ${sink}" tells why, "hilum dead replay" tries again once the cause is mended`,
    };
  });
  const off = (await broker.unreadSinks()).filter(({ consumers }) => consumers === 0);
  return [
    ...on,
    ...off.map(({ queues: { sink, queue }, messages }): Finding => ({
      check: check(sink),
      ok: false,
      text: `switched off, but its queue ${queue.name} is still there with ${messages} results and gathers more, which nobody reads: switch it on again, or delete the queue in RabbitMQ`,
    })),
  ];
}

/** Each is loaded and tried as at the service's start, one after the other, and let go again. */
export async function examineModels({ models, classification: { shortcutAudit } }: Config): Promise<Finding[]> {
  const optional = [
    ['gate', models.gate],
    ['shortcut', shortcutAudit],
  ] as const;
  const roles = [
    ['view', models.view],
    ['lungs', models.lungs],
    ['classifier', models.classifier],
    ...optional.filter(([, id]) => id !== 'off'),
  ] as const;
  const [findings, opened] = [[] as Finding[], new Map<string, ModelManifest>()];
  for (const [role, id] of roles) {
    try {
      const { manifest, network } = await openModel(models.dir ?? SHIPPED_MODELS, id, models.threads);
      await network.close();
      opened.set(role, manifest);
      findings.push({
        check: `model: ${id}`,
        ok: true,
        text: `version ${manifest.version}, digest matches, ${network.engine} runs it`,
      });
    } catch (error) {
      findings.push({ check: `model: ${id}`, ok: false, text: describeError(error) });
    }
  }
  return [...findings, ...examineFit(opened)];
}

/** Only once each of them is well. */
function examineFit(opened: ReadonlyMap<string, ModelManifest>): Finding[] {
  const [view, gate, lungs, classifier, shortcut] = ['view', 'gate', 'lungs', 'classifier', 'shortcut'].map((role) =>
    opened.get(role),
  );
  if (!view || !lungs || !classifier) return [];
  try {
    requireFit({ view, gate: gate ?? null, lungs, classifier, shortcut: shortcut ?? null });
    return [];
  } catch (error) {
    return [{ check: 'models', ok: false, text: describeError(error) }];
  }
}

const DAY_MS = 24 * 3600 * 1000;
const LEAST_CERTIFICATE_DAYS = 30;

/** How others reach the service. What must not be is refused with the configuration; this names what is weak. */
export async function examineAccess(
  { http, access }: Pick<Config, 'http' | 'access'>,
  now = Date.now(),
): Promise<Finding[]> {
  const kind = isExposed(http) ? `others may come in by ${access.kind}` : 'only this machine is served';
  const plain =
    http.trustedProxies.length > 0 && http.tls === undefined
      ? '; the way from the proxy is not encrypted: keep it inside one machine or network, or give http.tls too'
      : '';
  const findings: Finding[] = [
    { check: 'access', ok: true, text: `${kind}${access.kind === 'none' ? ', without sign-in' : ''}${plain}` },
  ];
  return http.tls === undefined ? findings : [...findings, certificateFinding(http.tls.certFile, now)];
}

function certificateFinding(path: string, now: number): Finding {
  try {
    const { validTo } = new X509Certificate(readFileSync(path));
    const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
    const ok = days >= LEAST_CERTIFICATE_DAYS;
    return {
      check: 'access: certificate',
      ok,
      text:
        days < 0
          ? `expired on ${validTo}: renew it`
          : `good for ${days} days, until ${validTo}${ok ? '' : ': renew it'}`,
    };
  } catch (error) {
    return {
      check: 'access: certificate',
      ok: false,
      text: `${path} is no readable certificate: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Where the service keeps what it must remember, and where it puts what is in passing. */
async function examineDisk({ state }: Config): Promise<Finding[]> {
  const folders = [...new Set([state.dir, tmpdir()])];
  return Promise.all(
    folders.map(async (folder) => {
      const free = await freeBytes(folder);
      const ok = free >= LEAST_FREE_BYTES;
      const text = `${(free / 1e9).toFixed(1)} GB free in ${folder}`;
      return { check: 'disk', ok, text: ok ? text : `${text}: make room, less than 1 GB is too little` };
    }),
  );
}

/** Reports carry the time of this machine, so it should be that of the archive. */
async function examineClock(config: Config): Promise<Finding[]> {
  const archive = openArchive(config);
  try {
    const theirs = await archive.clock();
    if (theirs === null)
      return [{ check: 'clock', ok: true, text: 'not compared: the archive does not tell its time' }];
    const seconds = Math.round((Date.now() - theirs.getTime()) / 1000);
    const ok = Math.abs(seconds) <= GREATEST_CLOCK_DIFFERENCE_S;
    return [
      {
        check: 'clock',
        ok,
        text: ok
          ? 'agrees with the archive within a minute'
          : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the archive: set the clocks by NTP`,
      },
    ];
  } catch {
    return [{ check: 'clock', ok: true, text: 'not compared: the archive does not answer' }];
  } finally {
    await archive.close();
  }
}
