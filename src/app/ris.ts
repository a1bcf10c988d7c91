import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import { type ConnectionProblem, listenMllp, type MllpListener } from '../hl7/listener';
import { isLoopback, networkOf, networkSet } from '../net/network';
import type { RisSender } from '../ris/changes';
import { createReceiver, type RisObserver } from '../ris/receiver';
import { risStore } from '../worklist/ris-store';
import { openRecorder } from './audit';
import type { OpenedList } from './list';

/** The HL7 listener for messages of the RIS. */
export interface OpenedRis {
  /** @throws HilumError LISTEN_FAILED, CONFIG_INVALID */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Interval at which a renewed certificate is loaded (milliseconds). */
const RENEWAL_MS = 3_600_000;
/** Longest wait for a message in work at shutdown (milliseconds). */
const GRACE_MS = 5_000;
/** Name of the spool folder for audit messages. */
const SPOOL = 'ris';

/** Whether this process listens to the RIS. */
export function listensToRis({ roles, list, ris }: Pick<Config, 'roles' | 'list' | 'ris'>): boolean {
  return roles.includes('list') && list.enabled && ris.listener.enabled;
}

/** Opens the listener; null where this process does not listen to the RIS. */
export function openRis(config: Config, list: OpenedList | null, observer: RisObserver, log: Log): OpenedRis | null {
  if (list === null || !listensToRis(config)) return null;
  const { listener } = config.ris;
  const recorder = openRecorder(config, log, SPOOL);
  const store = risStore({
    database: list.database,
    onChange: (study, sender) => recorder.record(actorOf(sender), { kind: 'study-updated', studies: [study] }),
  });
  const handle = createReceiver({
    store,
    config: config.ris,
    timeZone: config.list.timeZone,
    ownApplications: ownApplicationsOf(config),
    log,
    observer,
  });
  let open: MllpListener | undefined;
  let renewal: NodeJS.Timeout | undefined;
  return {
    async start() {
      open = await listenMllp({ ...listener, isAllowed: allowedBy(listener) }, handle, connectionProblemLogger(log));
      renewal = setInterval(() => renew(open, log), RENEWAL_MS).unref();
      log.info(
        { event: 'ris.listening', host: listener.host, port: open.port, tls: listener.tls !== undefined },
        'messages of the RIS are taken',
      );
    },
    async close() {
      clearInterval(renewal);
      await open?.close(GRACE_MS);
      await recorder.close();
    },
  };
}

/**
 * Which addresses may connect. Without a list of addresses, only this machine or clients with a certificate, as the
 * configuration check makes sure.
 */
function allowedBy({ addresses, tls }: Config['ris']['listener']): (address: string) => boolean {
  if (addresses.length > 0) return networkSet(addresses);
  return tls?.caFile === undefined ? isLoopback : () => true;
}

/** First component of MSH-3 (Sending Application) of each HL7 sink: messages from these are Hilum's own. */
function ownApplicationsOf({ deliveries }: Pick<Config, 'deliveries'>): string[] {
  return [deliveries.hl7].flat().map(({ sendingApplication }) => sendingApplication.split('^')[0]!);
}

function actorOf({ application, facility, address }: RisSender) {
  return { id: `hl7:${application}|${facility}`, name: application, roles: [], address };
}

const PROBLEMS: Readonly<Record<ConnectionProblem, string>> = {
  address: 'an address that is not in ris.listener.addresses',
  'too-many': 'more connections than ris.listener.maxConnections',
  tls: 'a TLS handshake that failed: another authority, no client certificate, or no TLS at all',
  'no-frame': 'something that is no MLLP frame',
  'too-slow': 'a message that did not end within ris.listener.messageTimeoutMs',
  handler: 'an answer that could not be sent',
};

/**
 * Logs a connection problem once a minute for each network and problem, so that repeated attempts do not fill the log.
 */
function connectionProblemLogger(
  log: Log,
  now: () => number = Date.now,
): (problem: ConnectionProblem, address: string) => void {
  const told = new Map<string, number>();
  return (problem, address) => {
    const key = `${problem} ${networkOf(address)}`;
    if (now() - (told.get(key) ?? -Infinity) < 60_000) return;
    if (told.size >= 1_000) told.clear();
    told.set(key, now());
    log.warn(
      { event: 'ris.connection-refused', address, problem },
      `a connection to the RIS listener was not taken, or closed: ${PROBLEMS[problem]}`,
    );
  };
}

function renew(listener: MllpListener | undefined, log: Log): void {
  try {
    listener?.renew();
  } catch (error) {
    log.error(
      { event: 'ris.certificate-unusable', code: error instanceof HilumError ? error.code : undefined },
      'the new certificate of the RIS listener can not be used; the old one stays',
    );
  }
}
