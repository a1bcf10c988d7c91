import { randomUUID } from 'node:crypto';
import { describeError, HilumError } from '../base/errors';
import { deriveUid, type Uid } from '../dicom/uid';
import { statusError, TransportError } from '../net/http';
import type { FoundInstance, FoundStudy } from './dicom-json';
import { writeMultipart } from './multipart';
import { JSON_HEADERS, type Wire } from './wire';

/** Result of one check of `hilum doctor`. */
export interface ProbeResult {
  readonly check: 'reach' | 'query' | 'retrieve' | 'store';
  readonly ok: boolean;
  /** One plain sentence: what was found, and where it is wrong, what to do. */
  readonly text: string;
}

/** The methods of the archive client, so that doctor sends the same requests as the service. */
interface Asked {
  findStudies(search: {
    readonly from: string;
    readonly to: string;
    readonly offset: number;
    readonly limit: number;
  }): Promise<{ studies: FoundStudy[] }>;
  findInstances(study: Uid): Promise<FoundInstance[]>;
  findSeries(study: Uid): Promise<unknown>;
  findStudySummary(study: Uid): Promise<unknown>;
  describe(instance: FoundInstance): Promise<unknown>;
  retrieve(instance: FoundInstance): Promise<unknown>;
}

const REACHED: ProbeResult = { check: 'reach', ok: true, text: 'the archive answers' };
const NOT_STORED: ProbeResult = { check: 'store', ok: true, text: 'not tried: this process stores nothing' };
/** Page size of the search for studies, as in the catch-up. */
const STUDIES = 100;

/** Never throws. The store check sends an empty request, which stores nothing; none where `stores` is false. */
export async function probe(wire: Wire, archive: Asked, stores: boolean): Promise<ProbeResult[]> {
  const { size } = wire.pages;
  try {
    const instance = await probeQueries(archive);
    return [
      REACHED,
      queried(size, wire.pages.size),
      await probeRetrieve(archive, instance),
      stores ? await probeStore(wire) : NOT_STORED,
    ];
  } catch (error) {
    if (error instanceof TransportError)
      return [
        { check: 'reach', ok: false, text: `${describeError(error)}: check archive.url, the network and archive.tls` },
      ];
    return [REACHED, { check: 'query', ok: false, text: advice(error) }];
  }
}

function queried(asked: number, taken: number): ProbeResult {
  const pages =
    taken < asked ? `, in pages of ${taken}: it refuses ${asked}, so set archive.pageSize to ${taken} or less` : '';
  return { check: 'query', ok: true, text: `Hilum may query (QIDO-RS)${pages}` };
}

/**
 * The searches of catch-up, worker and reading list, for a study of the archive, or for a made-up one where it is
 * empty.
 */
async function probeQueries(archive: Asked): Promise<FoundInstance | undefined> {
  const recent = await archive.findStudies({ from: dateAgo(1), to: dateAgo(-1), offset: 0, limit: STUDIES });
  const any = await archive.findStudies({ from: '', to: '', offset: 0, limit: STUDIES });
  const study = [...recent.studies, ...any.studies][0]?.studyInstanceUid ?? deriveUid(['hilum doctor']);
  const [instance] = await archive.findInstances(study);
  await archive.findSeries(study);
  await archive.findStudySummary(study);
  if (instance !== undefined) await archive.describe(instance);
  return instance;
}

/** DA (PS3.5 section 6.2). */
const dateAgo = (days: number) =>
  new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');

async function probeRetrieve(archive: Asked, instance: FoundInstance | undefined): Promise<ProbeResult> {
  if (instance === undefined) return { check: 'retrieve', ok: true, text: 'not tried: the archive lists no instance' };
  try {
    await archive.retrieve(instance);
    return { check: 'retrieve', ok: true, text: 'Hilum may retrieve (WADO-RS)' };
  } catch (error) {
    return { check: 'retrieve', ok: false, text: advice(error) };
  }
}

async function probeStore(wire: Wire): Promise<ProbeResult> {
  const boundary = randomUUID();
  const headers = {
    ...JSON_HEADERS,
    'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
  };
  try {
    const status = await wire.http.send(
      `${wire.root}/studies`,
      { method: 'POST', headers, body: writeMultipart([], boundary) },
      ({ status }) => Promise.resolve(status),
    );
    // 400 and 409 refuse the request because it is empty, which needs the right to store.
    if ((status >= 200 && status < 300) || status === 400 || status === 409)
      return {
        check: 'store',
        ok: true,
        text: 'Hilum may store (STOW-RS); --store-test stores a result and tells more',
      };
    throw statusError('store', status, '');
  } catch (error) {
    return { check: 'store', ok: false, text: advice(error) };
  }
}

function advice(error: unknown): string {
  const code = error instanceof HilumError ? error.code : '';
  if (code === 'ARCHIVE_UNAUTHORISED') return `${describeError(error)}: check archive.auth and the rights of that user`;
  if (code === 'NOT_FOUND') return `${describeError(error)}: check that archive.url is the DICOMweb root`;
  return describeError(error);
}
