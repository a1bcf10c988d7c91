import express from 'express';
import { tmpdir } from 'node:os';
import type { DicomWebArchive } from '../archive/dicomweb';
import { diskProblem } from '../base/disk';
import { HilumError } from '../base/errors';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import { deriveUid } from '../dicom/uid';
import type { Broker } from '../queue/broker';
import { type Access, protect } from '../web/access/access';
import { addHealth, type Check, listen, remembered } from '../web/health';
import type { Metrics } from '../web/metrics';
import type { OpenedList, OpenedListWeb } from './list';

/** Less than this and the service is not ready: what it keeps on disk is small, but must not fail. */
const LEAST_FREE_BYTES = 100_000_000;

/** A certificate that was renewed is taken this often (milliseconds). */
const RENEWAL_MS = 3_600_000;

/** What readiness says of something that others serve is that old at most (milliseconds). */
const REMEMBERED_MS = 3_000;

/** What this process can't work without. */
export function readinessChecks(
  { roles, catchUp, results, state }: Config,
  { broker, archive, list }: { broker: Broker; archive: DicomWebArchive; list: OpenedList | null },
): Check[] {
  const keepsState =
    (roles.includes('catch-up') && catchUp.kind === 'orthanc') ||
    (roles.includes('worker') && results.mode === 'shadow') ||
    list?.database.kind === 'sqlite';
  return [
    {
      name: 'broker',
      look: async () => (broker.state() === 'connected' ? null : `not connected to the broker (${broker.state()})`),
    },
    // A query for a study that nobody has: cheap, and needs the archive to be there and to let us in.
    remembered(
      { name: 'archive', look: async () => archive.sightStudy(deriveUid(['readiness'])).then(() => null) },
      REMEMBERED_MS,
    ),
    { name: 'disk', look: async () => diskProblem(keepsState ? [tmpdir(), state.dir] : [tmpdir()], LEAST_FREE_BYTES) },
  ];
}

export interface WebParts {
  readonly access: Access;
  readonly checks: readonly Check[];
  readonly metrics: Metrics;
  readonly listWeb: OpenedListWeb | null;
}

export interface OpenedWeb {
  /** Resolves to the port once it is served. */
  start(): Promise<number>;
  close(): Promise<void>;
}

/** Health, metrics and the reading list, all behind `access`, whose service it begins. */
export function openWeb({ http }: Config, { access, checks, metrics, listWeb }: WebParts, log: Log): OpenedWeb {
  let server: Awaited<ReturnType<typeof listen>> | undefined;
  let renewal: NodeJS.Timeout | undefined;
  return {
    async start() {
      const app = protect(access, express(), (routes) => {
        addHealth(routes, access, checks, metrics);
        if (listWeb !== null) routes.use(listWeb.routes);
      });
      server = await listen(app, http.host, http.port, http.tls, {
        most: http.maxConnections,
        isProxied: http.trustedProxies.length > 0,
      });
      await access.begin();
      renewal = setInterval(() => renewCertificate(server, log), RENEWAL_MS).unref();
      return server.port;
    },
    async close() {
      clearInterval(renewal);
      await listWeb?.close();
      await server?.close();
    },
  };
}

function renewCertificate(server: { renew(): void } | undefined, log: Log): void {
  try {
    server?.renew();
  } catch (error) {
    log.error(
      { event: 'http.certificate-unusable', code: error instanceof HilumError ? error.code : undefined },
      'the new certificate can not be used; the old one stays',
    );
  }
}
