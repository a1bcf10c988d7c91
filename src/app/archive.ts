import { dicomWebArchive, type DicomWebArchive } from '../archive/dicomweb';
import type { Log } from '../base/log';
import type { Config } from '../config/config';

/** Readiness answers within this time, whatever the archive does (milliseconds). */
const READINESS_MS = 10_000;

/** The archive for readiness checks alone, over a connection of its own, so that checks take none from the analysis. */
export function openReadinessArchive({ archive }: Pick<Config, 'archive'>): DicomWebArchive {
  return dicomWebArchive({
    ...archive,
    connections: 1,
    responseTimeoutMs: Math.min(archive.responseTimeoutMs, READINESS_MS),
    requestTimeoutMs: Math.min(archive.requestTimeoutMs, READINESS_MS),
  });
}

/** The archive as configured. */
export function openArchive(config: Config, log?: Log): DicomWebArchive {
  return dicomWebArchive(config.archive, log);
}
