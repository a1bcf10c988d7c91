import { z } from 'zod';
import type { Uid } from '../../dicom/uid';
import { type HttpOptions, readText } from '../../net/http';
import { Receiver } from '../../net/receiver';

const MAX_BYTES = 1024 * 1024;
const foundSchema = z.array(z.object({ ID: z.string().regex(/^[0-9a-f-]{44}$/), Type: z.string() }));

/**
 * Metadata of studies by Orthanc's REST API, of any version; fits the port of `sinks/orthanc-metadata/sink` by shape.
 */
export class OrthancMetadata {
  private readonly receiver: Receiver;
  private readonly root: string;

  /**
   * @param options `url` is Orthanc's own REST API, e.g. http://orthanc:8042
   * @throws HilumError CONFIG_INVALID for unreadable TLS files; every method RECEIVER_*
   */
  constructor({ url, ...http }: HttpOptions & { readonly url: string }) {
    this.receiver = new Receiver(http, 'Orthanc');
    this.root = url.replace(/\/+$/, '');
  }

  find(study: Uid): Promise<string[]> {
    return this.receiver.send(
      `${this.root}/tools/lookup`,
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: Buffer.from(study) },
      async (answer) => {
        if (answer.status !== 200) throw this.receiver.statusError('look a study up', answer);
        const found = foundSchema.safeParse(await this.receiver.readJson(answer, MAX_BYTES));
        if (!found.success)
          throw this.receiver.invalid(
            'something other than a list of resources: is the address that of its own REST API',
          );
        return found.data.filter(({ Type }) => Type === 'Study').map(({ ID }) => ID);
      },
    );
  }

  read(id: string, index: number): Promise<{ value: string; etag: string }> {
    return this.receiver.send(this.at(id, index), { headers: {} }, async (answer) => {
      if (answer.status === 404) return { value: '', etag: '' };
      if (answer.status !== 200) throw this.receiver.statusError('read metadata', answer);
      return { value: await readText(answer.body, MAX_BYTES, this.receiver.peer), etag: answer.header('etag') };
    });
  }

  /**
   * Sends the revision that was read, which Orthanc compares from 1.9.2 on and requires with CheckRevisions; older
   * versions have none.
   * @returns false when the revision is outdated (409), or the precondition failed at a proxy (412)
   */
  write(id: string, index: number, value: string, etag: string): Promise<boolean> {
    const headers = { 'content-type': 'text/plain', ...(etag === '' ? {} : { 'if-match': etag }) };
    return this.receiver.send(
      this.at(id, index),
      { method: 'PUT', headers, body: Buffer.from(value) },
      async (answer) => {
        if (answer.status === 409 || answer.status === 412) return false;
        if (answer.status !== 200 && answer.status !== 204) throw this.receiver.statusError('write metadata', answer);
        return true;
      },
    );
  }

  /** For `hilum doctor`: a look-up without a result. */
  async probe(): Promise<void> {
    await this.find('2.25.1' as Uid);
  }

  close(): Promise<void> {
    return this.receiver.close();
  }

  private at(id: string, index: number): string {
    return `${this.root}/studies/${id}/metadata/${index}`;
  }
}
