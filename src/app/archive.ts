import { dicomWebArchive, type DicomWebArchive } from '../archive/dicomweb';
import type { Log } from '../base/log';
import type { Config } from '../config/config';

/** Readiness has an answer by then, whatever the archive does (milliseconds). */
const READINESS_MS = 10_000;

/**
 * The archive for readiness alone: one connection of its own, so that whoever asks for readiness takes none from the
 * analysis.
 */
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
