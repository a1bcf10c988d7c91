import type { DicomWebArchive } from '../archive/dicomweb';
import type { Log } from '../base/log';
import type { Config } from '../config/config';
import type { ResultEvent } from '../events/result-event';
import type { Broker } from '../queue/broker';
import { AttributeWatch, type ListedStudy } from '../worklist/attribute-watch';
import { sweepOf } from './catch-up';
import type { OpenedList } from './list';

/**
 * Opens the watch that keeps the list's patient and study attributes equal to the archive's, over the days and at the
 * pace of the catch-up. In shadow mode corrections are kept and announced once the mode is live.
 */
export function openAttributeWatch(
  config: Pick<Config, 'catchUp' | 'list' | 'results'>,
  { worklist }: OpenedList,
  archive: DicomWebArchive,
  cachedArchive: DicomWebArchive,
  broker: Pick<Broker, 'announce'>,
  log: Log,
): AttributeWatch {
  const { kind, intervalMs } = config.catchUp;
  const announce = config.results.mode === 'shadow' ? null : (event: ResultEvent) => broker.announce(event);
  const sweep = kind === 'off' ? null : () => listedStudies(archive, config, log);
  return new AttributeWatch({ worklist, archive, cachedArchive, announce, sweep, log }, { intervalMs });
}

async function* listedStudies(
  archive: DicomWebArchive,
  config: Pick<Config, 'catchUp' | 'list'>,
  log: Log,
): AsyncGenerator<readonly ListedStudy[]> {
  const finder = {
    findStudies: (search: Parameters<DicomWebArchive['findStudySummaries']>[0]) => archive.findStudySummaries(search),
  };
  for await (const { studies } of sweepOf(finder, config, log).batches()) yield studies;
}
