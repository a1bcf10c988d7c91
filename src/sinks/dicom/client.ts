import { z } from 'zod';
import type { Uid } from '../../dicom/uid';
import type { HttpAnswer, HttpOptions } from '../../net/http';
import { Receiver } from '../../net/receiver';
import { failureError } from './failure';
import type { ResultObject } from './objects';

const MAX_BYTES = 4 * 1024 * 1024;

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

/** What a peer says of a storage commitment; `committed` are SOP Instance UIDs. */
export interface Commitment {
  readonly state: 'pending' | 'success' | 'failure';
  readonly committed: ReadonlySet<string>;
}

/**
 * A DICOM peer of an Orthanc, by Orthanc's own REST API (`/modalities/{name}`): Orthanc is the SCU of C-ECHO, C-STORE,
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
    await this.post('verify the connection (C-ECHO)', '/echo', {}, async () => {});
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

  /** AE title that an instance came from by C-STORE; '' where it came otherwise. */
  async origin(id: string): Promise<string> {
    return this.receiver.send(`${this.root}/instances/${id}/metadata/RemoteAET`, { headers: {} }, async (answer) => {
      if (answer.status === 404) return '';
      if (answer.status !== 200) throw this.receiver.statusError('read metadata', answer);
      let text = '';
      for await (const part of answer.body) text += Buffer.from(part).toString('latin1');
      return text.trim();
    });
  }

  /** C-STORE of one instance. */
  async store(id: string): Promise<void> {
    const seconds = Math.ceil(this.storeTimeoutMs / 1000);
    await this.post(
      'store an object (C-STORE)',
      '/store',
      { Resources: [id], Synchronous: true, Timeout: seconds },
      async (answer) => {
        const { InstancesCount, FailedInstancesCount } = await this.read(answer, storedSchema);
        if (InstancesCount !== 1 || FailedInstancesCount !== 0)
          throw failureError(this.peer, 'store an object (C-STORE)', { code: 0, details: '' });
      },
    );
  }

  /** C-FIND at the level IMAGE. */
  async has({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: ResultObject): Promise<boolean> {
    const Query = {
      StudyInstanceUID: studyInstanceUid,
      SeriesInstanceUID: seriesInstanceUid,
      SOPInstanceUID: sopInstanceUid,
    };
    const { ID } = await this.post('search (C-FIND)', '/query', { Level: 'Instance', Query }, (answer) =>
      this.read(answer, startedSchema),
    );
    const query = `${this.root}/queries/${ID}`;
    try {
      return await this.receiver.send(`${query}/answers?expand&simplify`, { headers: {} }, async (answer) => {
        if (answer.status !== 200) throw this.receiver.statusError('read what was found', answer);
        const found = await this.read(answer, answersSchema);
        return found.some(({ SOPInstanceUID }) => SOPInstanceUID === sopInstanceUid);
      });
    } finally {
      await this.receiver.send(query, { method: 'DELETE', headers: {} }, async () => {}).catch(() => {});
    }
  }

  /** Asks for storage commitment (PS3.4 annex J). @returns the transaction, for `commitment` */
  async commit(objects: readonly ResultObject[]): Promise<string> {
    const DicomInstances = objects.map(({ sopClassUid, sopInstanceUid }) => [sopClassUid, sopInstanceUid]);
    const { ID } = await this.post('commit to storage', '/storage-commitment', { DicomInstances }, (answer) =>
      this.read(answer, startedSchema),
    );
    return ID;
  }

  commitment(transaction: string): Promise<Commitment> {
    return this.receiver.send(`${this.root}/storage-commitment/${transaction}`, { headers: {} }, async (answer) => {
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

  private post<T>(action: string, path: string, body: object, read: (answer: HttpAnswer) => Promise<T>): Promise<T> {
    const wanted = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
      // Orthanc answers when the peer has.
      responseTimeoutMs: this.storeTimeoutMs + 5_000,
    } as const;
    return this.receiver.send(`${this.root}/modalities/${this.peer}${path}`, wanted, async (answer) => {
      if (answer.status === 200) return read(answer);
      if (answer.status === 404) throw this.receiver.refused(`find its modality ${this.peer}`, 404);
      const failure = answer.status === 500 ? failureSchema.safeParse(await this.json(answer)) : null;
      if (failure?.success !== true) throw this.receiver.statusError(action, answer);
      const { OrthancStatus, Details } = failure.data;
      throw failureError(this.peer, action, { code: OrthancStatus, details: Details });
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
