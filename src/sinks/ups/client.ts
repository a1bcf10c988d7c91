import type { Uid } from '../../dicom/uid';
import type { HttpAnswer, HttpOptions } from '../../net/http';
import { Receiver } from '../../net/receiver';

export interface UpsOptions extends HttpOptions {
  /** Root of the service, without /workitems. */
  readonly url: string;
  /** How a new workitem's UID is named in the query. */
  readonly uidQuery?: 'bare' | 'workitem' | 'AffectedSOPInstanceUID';
  /** AE title at the end of the path of state changes, which dcm4chee requires. */
  readonly requester?: string | undefined;
}

/** DICOM JSON datasets. */
type Dataset = Readonly<Record<string, { readonly vr: string }>>;

const MEDIA_TYPE = 'application/dicom+json';
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** Client of UPS-RS (PS3.18 section 11); fits the port of `sinks/ups/sink` by shape. No message quotes a response. */
export class UpsClient {
  private readonly receiver: Receiver;
  private readonly root: string;
  private readonly uidQuery: 'bare' | 'workitem' | 'AffectedSOPInstanceUID';
  private readonly requester: string;

  /** @throws HilumError CONFIG_INVALID for unreadable TLS files; every method RECEIVER_* */
  constructor({ url, uidQuery = 'bare', requester, ...http }: UpsOptions) {
    this.receiver = new Receiver(http, 'the worklist server');
    this.root = `${url.replace(/\/+$/, '')}/workitems`;
    this.uidQuery = uidQuery;
    this.requester = requester === undefined ? '' : `/${encodeURIComponent(requester)}`;
  }

  /** Create Workitem (section 11.4). @returns false when the workitem exists already (409) */
  create(uid: Uid, workitem: Dataset): Promise<boolean> {
    const query = this.uidQuery === 'bare' ? uid : `${this.uidQuery}=${uid}`;
    return this.send('create a workitem', 'POST', `${this.root}?${query}`, workitem, ({ status, header }) => {
      if (status !== 201) return status === 409 ? false : undefined;
      // A server that ignores the UID makes one of its own, and each attempt would create another workitem.
      const location = header('location');
      if (location !== '' && !location.split(/[/?=]/).includes(uid))
        throw this.receiver.refused('name a workitem as it was asked to, see deliveries.ups.uidQuery', status);
      return true;
    });
  }

  /** Retrieve Workitem (section 11.5). @returns null when the server does not return it (404, 409, 410) */
  async retrieve(uid: Uid): Promise<unknown> {
    return this.receiver.send(
      `${this.root}/${uid}`,
      { headers: { accept: MEDIA_TYPE, 'cache-control': 'no-cache' } },
      async (answer) => {
        if ([404, 409, 410].includes(answer.status)) return null;
        if (answer.status !== 200) throw this.receiver.statusError('retrieve a workitem', answer);
        const found = await this.receiver.readJson(answer, MAX_JSON_BYTES);
        return Array.isArray(found) ? (found[0] as unknown) : found;
      },
    );
  }

  /**
   * Update Workitem (section 11.6). The Transaction UID is in the query, as the Standard says, and in the dataset too.
   * @returns false when state or lock forbid it
   */
  update(uid: Uid, transaction: Uid, changes: Dataset): Promise<boolean> {
    return this.send(
      'update a workitem',
      'POST',
      `${this.root}/${uid}?${this.uidQuery === 'bare' ? '' : 'transaction='}${transaction}`,
      changes,
      isChanged,
    );
  }

  /** Change Workitem State (section 11.7). @returns false when state or lock forbid it */
  changeState(uid: Uid, change: Dataset): Promise<boolean> {
    return this.send(
      'change the state of a workitem',
      'PUT',
      `${this.root}/${uid}/state${this.requester}`,
      change,
      isChanged,
    );
  }

  /** For `hilum doctor`: searches for one workitem (section 11.9), which changes nothing. */
  async probe(): Promise<void> {
    await this.receiver.send(`${this.root}?limit=1`, { headers: { accept: MEDIA_TYPE } }, async (answer) => {
      if (answer.status !== 200 && answer.status !== 204)
        throw this.receiver.statusError('search the worklist', answer);
    });
  }

  close(): Promise<void> {
    return this.receiver.close();
  }

  private send(
    action: string,
    method: 'POST' | 'PUT',
    url: string,
    dataset: Dataset,
    read: (answer: HttpAnswer) => boolean | undefined,
  ): Promise<boolean> {
    // An array of one dataset, as PS3.18 section 11.1.4 requires.
    const body = Buffer.from(JSON.stringify([dataset]));
    return this.receiver.send(
      url,
      { method, headers: { accept: MEDIA_TYPE, 'content-type': MEDIA_TYPE }, body },
      async (answer) => {
        const known = read(answer);
        if (known === undefined) throw this.receiver.statusError(action, answer);
        return known;
      },
    );
  }
}

/**
 * PS3.18 tables 11.6.3-1 and 11.7.3-1: 400 is a final state, a wrong lock or a bad dataset, 409 the state, 404 and 410
 * a missing workitem. Some servers tell by the Warning header; the caller looks at the workitem itself. Being in the
 * wanted state already is success.
 */
function isChanged({ status, header }: Pick<HttpAnswer, 'status' | 'header'>): boolean | undefined {
  if (status === 200 || status === 204) return true;
  if (![400, 404, 409, 410].includes(status)) return undefined;
  return /already in the requested state/i.test(header('warning'));
}
