import { z } from 'zod';
import { HilumError } from '../../base/errors';
import type { Uid } from '../../dicom/uid';
import { type HttpAnswer, type HttpOptions, readText } from '../../net/http';
import { Receiver } from '../../net/receiver';
import { actionOf, away, failureError, HeldAlreadyError, type Operation } from './failure';
import type { ResultObject } from './objects';

const MAX_BYTES = 4 * 1024 * 1024;
/** Statuses at which Orthanc's body describes the failure; 422 is a C-FIND that the peer could not process. */
const DESCRIBED: ReadonlySet<number> = new Set([422, 500]);

const foundSchema = z.array(z.object({ ID: z.string().regex(/^[0-9a-f-]{44}$/), Type: z.string() }));
const storedSchema = z.object({ InstancesCount: z.number(), FailedInstancesCount: z.number() });
const startedSchema = z.object({ ID: z.string().regex(/^[0-9A-Za-z.-]+$/) });
const answersSchema = z.array(z.object({ SOPInstanceUID: z.string().optional() }));
const commitmentSchema = z.object({
  Status: z.enum(['Pending', 'Success', 'Failure']),
  Success: z.array(z.object({ SOPInstanceUID: z.string() })).default([]),
});
const failureSchema = z.object({ OrthancStatus: z.number(), Details: z.string().default('') });

export interface OrthancModalityOptions extends HttpOptions {
  /** Orthanc's own REST API. */
  readonly url: string;
  /** Name of the peer in Orthanc's DicomModalities. */
  readonly modality: string;
  readonly storeTimeoutMs: number;
}

/** Result of a storage commitment; `committed` are SOP Instance UIDs. */
export interface Commitment {
  readonly state: 'pending' | 'success' | 'failure';
  readonly committed: ReadonlySet<string>;
}

/**
 * A DICOM peer behind an Orthanc, by Orthanc's REST API (`/modalities/{name}`): Orthanc is the SCU of C-ECHO, C-STORE,
 * C-FIND (Study Root) and Storage Commitment Push Model. Fits the port of `sinks/dicom/sink` by shape. Every method
 * throws HilumError RECEIVER_*.
 */
export class OrthancModality {
  private readonly receiver: Receiver;
  private readonly root: string;
  private readonly storeTimeoutMs: number;
  readonly peer: string;

  /** @throws HilumError CONFIG_INVALID for unreadable TLS files */
  constructor({ url, modality, storeTimeoutMs, ...http }: OrthancModalityOptions) {
    this.receiver = new Receiver(http, 'Orthanc');
    this.root = url.replace(/\/+$/, '');
    this.storeTimeoutMs = storeTimeoutMs;
    this.peer = modality;
  }

  /** C-ECHO. */
  async echo(): Promise<void> {
    await this.post('echo', '/echo', {}, async () => {});
  }

  /** Orthanc's id of an instance; null where it does not have it. */
  find(sopInstanceUid: Uid): Promise<string | null> {
    const body = Buffer.from(sopInstanceUid);
    const wanted = { method: 'POST', headers: { 'content-type': 'text/plain' }, body } as const;
    return this.receiver.send(`${this.root}/tools/lookup`, wanted, async (answer) => {
      if (answer.status !== 200) throw this.receiver.statusError('look an object up', answer);
      const found = await this.read(answer, foundSchema);
      return found.find(({ Type }) => Type === 'Instance')?.ID ?? null;
    });
  }

  /** Calling AE title by which an instance was received by C-STORE; '' where it came in another way. */
  async origin(id: string): Promise<string> {
    return this.receiver.send(`${this.root}/instances/${id}/metadata/RemoteAET`, { headers: {} }, async (answer) => {
      if (answer.status === 404) return '';
      if (answer.status !== 200) throw this.receiver.statusError('read metadata', answer);
      return (await readText(answer.body, MAX_BYTES, this.receiver.peer)).trim();
    });
  }

  /** C-STORE of one instance; a duplicate at the peer (0111) counts as stored. */
  async store(id: string): Promise<void> {
    const body = { Resources: [id], Synchronous: true, Timeout: Math.ceil(this.storeTimeoutMs / 1000) };
    try {
      await this.post('store', '/store', body, async (answer) => {
        const { InstancesCount, FailedInstancesCount } = await this.read(answer, storedSchema);
        if (InstancesCount !== 1 || FailedInstancesCount !== 0)
          throw failureError(this.peer, 'store', { code: 0, details: '' });
      });
    } catch (error) {
      if (!(error instanceof HeldAlreadyError)) throw error;
    }
  }

  /** C-FIND at IMAGE level. */
  async has({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: ResultObject): Promise<boolean> {
    const Query = {
      StudyInstanceUID: studyInstanceUid,
      SeriesInstanceUID: seriesInstanceUid,
      SOPInstanceUID: sopInstanceUid,
    };
    const { ID } = await this.post('find', '/query', { Level: 'Instance', Query }, (answer) =>
      this.read(answer, startedSchema),
    );
    const query = `${this.root}/queries/${ID}`;
    try {
      return await this.receiver.send(`${query}/answers?expand&simplify`, { headers: {} }, async (answer) => {
        if (answer.status === 404) throw lost('what it found');
        if (answer.status !== 200) throw this.receiver.statusError('read what was found', answer);
        const found = await this.read(answer, answersSchema);
        return found.some(({ SOPInstanceUID }) => SOPInstanceUID === sopInstanceUid);
      });
    } finally {
      await this.receiver.send(query, { method: 'DELETE', headers: {} }, async () => {}).catch(() => {});
    }
  }

  /** Requests storage commitment (PS3.4 annex J). @returns the transaction, for `commitment` */
  async commit(objects: readonly ResultObject[]): Promise<string> {
    const DicomInstances = objects.map(({ sopClassUid, sopInstanceUid }) => [sopClassUid, sopInstanceUid]);
    const { ID } = await this.post('commit', '/storage-commitment', { DicomInstances }, (answer) =>
      this.read(answer, startedSchema),
    );
    return ID;
  }

  commitment(transaction: string): Promise<Commitment> {
    return this.receiver.send(`${this.root}/storage-commitment/${transaction}`, { headers: {} }, async (answer) => {
      if (answer.status === 404) throw lost('a storage commitment');
      if (answer.status !== 200) throw this.receiver.statusError('read a storage commitment', answer);
      const { Status, Success } = await this.read(answer, commitmentSchema);
      return {
        state: Status.toLowerCase() as Commitment['state'],
        committed: new Set(Success.map(({ SOPInstanceUID }) => SOPInstanceUID)),
      };
    });
  }

  close(): Promise<void> {
    return this.receiver.close();
  }

  private post<T>(
    operation: Operation,
    path: string,
    body: object,
    read: (answer: HttpAnswer) => Promise<T>,
  ): Promise<T> {
    const wanted = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
      // Orthanc answers only when the peer has.
      responseTimeoutMs: this.storeTimeoutMs + 5_000,
    } as const;
    return this.receiver.send(`${this.root}/modalities/${this.peer}${path}`, wanted, async (answer) => {
      if (answer.status === 200) return read(answer);
      // Also 404 for an object that was deleted meanwhile, which the next attempt notices.
      if (answer.status === 404) throw away(`Orthanc does not know the modality ${this.peer}: see its DicomModalities`);
      const failure = DESCRIBED.has(answer.status) ? failureSchema.safeParse(await this.json(answer)) : null;
      if (failure?.success !== true) throw this.receiver.statusError(actionOf(operation), answer);
      const { OrthancStatus, Details } = failure.data;
      throw failureError(this.peer, operation, { code: OrthancStatus, details: Details });
    });
  }

  private json(answer: HttpAnswer): Promise<unknown> {
    return this.receiver.readJson(answer, MAX_BYTES);
  }

  private async read<Schema extends z.ZodType>(answer: HttpAnswer, schema: Schema): Promise<z.output<Schema>> {
    const parsed = schema.safeParse(await this.json(answer));
    if (!parsed.success)
      throw this.receiver.invalid('something else than was asked for: is the address that of its own REST API');
    return parsed.data;
  }
}

/** Orthanc keeps searches and commitments in memory: they are lost at a restart, and after a hundred others. */
const lost = (what: string) =>
  new HilumError('RECEIVER_UNAVAILABLE', 'transient', `Orthanc does not know of ${what} any more`);
