import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A UPS-RS server written from the Standard, because none of another make is at hand: state machine of PS3.4 table
 * CC.1.1-2, required attributes of table CC.2.5-3 (the same list as in the published create example of dcm4che), status
 * codes and Warning headers of PS3.18 sections 11.4 to 11.9. It shares no code with the client.
 */
type Element = { vr: string; Value?: unknown[] };
type Dataset = Record<string, Element>;

/** PS3.4 table CC.2.5-3, N-CREATE: type 1 (with a value), type 2 (present) and those that have to be empty. */
export const CREATE_TYPE_1 = ['00404005', '00404041', '00741000', '00741200', '00741204'];
export const CREATE_TYPE_2 = [
  '00081080',
  '00081084',
  '00100010',
  '00100020',
  '00100030',
  '00100040',
  '00101002',
  '00380010',
  '00380014',
  '00404018',
  '00404021',
  '00404025',
  '00404026',
  '00404027',
  '00404034',
  '0040A370',
  '00741202',
  '00741210',
];
export const CREATE_EMPTY = ['00081195', '00741002', '00741216'];
/** Not allowed for N-CREATE; PS3.18 section 11.4.1.4 for the UID. */
const CREATE_FORBIDDEN = ['00080016', '00080018', '00404010'];
/** Final state P of the items of the UPS Performed Procedure Sequence. */
export const COMPLETED_NEEDS = ['00404028', '00404050', '00404051', '00404019', '00404033'];

export interface StoredWorkitem {
  dataset: Dataset;
  transaction: string | null;
  /** Every state it was in. */
  readonly states: string[];
}

export type When = 'before' | 'after';

export class UpsServer {
  readonly workitems = new Map<string, StoredWorkitem>();
  readonly requests: { method: string; path: string; body: unknown; contentType: string }[] = [];
  /** Cuts the connection at this request (from 0), before or after it did its work. */
  cutAt: { request: number; when: When } | null = null;
  /** Answers each request with this instead. */
  answerWith: { status: number; headers?: Record<string, string> } | null = null;
  /** Never answers. */
  hang = false;
  /** Does not give out workitems in a final state (PS3.18 section 11.5.2). */
  hideFinal = false;
  /** Answers the state errors with 409 instead of 400. */
  conflictStatus = 400;
  /** Makes up UIDs of its own, as a server that does not read the query. */
  ignoresName = false;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  static async open(): Promise<UpsServer> {
    const ups = new UpsServer();
    await new Promise<void>((resolve) => ups.server.listen(0, '127.0.0.1', resolve));
    return ups;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/rs`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const number = this.requests.length;
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString('utf8');
    const body = text === '' ? null : (JSON.parse(text) as unknown);
    this.requests.push({
      method: request.method ?? '',
      path: request.url ?? '',
      body,
      contentType: request.headers['content-type'] ?? '',
    });
    if (this.hang) return;
    const cut = this.cutAt?.request === number ? this.cutAt.when : null;
    if (cut === 'before') return void request.socket.destroy();
    const answer = this.answerWith ?? this.answer(request.method ?? '', new URL(request.url ?? '', this.url), body);
    if (cut === 'after') return void request.socket.destroy();
    response.writeHead(answer.status, {
      ...('json' in answer ? { 'content-type': 'application/dicom+json' } : {}),
      ...answer.headers,
    });
    response.end('json' in answer ? JSON.stringify(answer.json) : '');
  }

  private answer(
    method: string,
    url: URL,
    body: unknown,
  ): { status: number; headers?: Record<string, string>; json?: unknown } {
    const [, , , uid, part] = url.pathname.split('/');
    if (method === 'GET' && uid === undefined)
      return this.workitems.size === 0
        ? { status: 204 }
        : { status: 200, json: [...this.workitems.values()].map(({ dataset }) => dataset) };
    if (method === 'GET') return this.retrieve(uid ?? '');
    const dataset = Array.isArray(body) && body.length === 1 ? (body[0] as Dataset) : undefined;
    if (dataset === undefined) return { status: 400 };
    if (method === 'POST' && uid === undefined) return this.create(decodeURIComponent(url.search.slice(1)), dataset);
    const found = this.workitems.get(uid ?? '');
    if (found === undefined) return { status: 404 };
    if (method === 'PUT' && part === 'state') return this.changeState(found, dataset);
    if (method === 'POST' && part === undefined)
      return this.update(found, decodeURIComponent(url.search.slice(1)), dataset);
    return { status: 405 };
  }

  private create(name: string, dataset: Dataset) {
    const uid = this.ignoresName ? `2.25.${this.workitems.size + 1}` : name;
    if (!/^[0-9.]{1,64}$/.test(uid)) return { status: 400 };
    if (this.workitems.has(uid)) return { status: 409 };
    const wrong = [
      ...CREATE_TYPE_1.filter((tag) => !hasValue(dataset[tag])),
      ...CREATE_TYPE_2.filter((tag) => dataset[tag] === undefined),
      ...CREATE_EMPTY.filter((tag) => dataset[tag] === undefined || hasValue(dataset[tag])),
      ...CREATE_FORBIDDEN.filter((tag) => dataset[tag] !== undefined),
    ];
    if (
      wrong.length > 0 ||
      dataset['00741000']?.Value?.[0] !== 'SCHEDULED' ||
      !['HIGH', 'MEDIUM', 'LOW'].includes(String(dataset['00741200']?.Value?.[0]))
    )
      return { status: 400 };
    this.workitems.set(uid, {
      dataset: { ...dataset, '00080018': { vr: 'UI', Value: [uid] } },
      transaction: null,
      states: ['SCHEDULED'],
    });
    return { status: 201, headers: { location: `${this.url}/workitems/${uid}` } };
  }

  private retrieve(uid: string) {
    const found = this.workitems.get(uid);
    if (found === undefined) return { status: 404 };
    if (this.hideFinal && isFinal(stateOf(found))) return { status: 410 };
    const shown = Object.fromEntries(Object.entries(found.dataset).filter(([tag]) => tag !== '00081195'));
    return { status: 200, json: [shown] };
  }

  private update(item: StoredWorkitem, query: string, changes: Dataset) {
    const inconsistent = {
      status: this.conflictStatus,
      headers: { warning: '299 ups: The submitted request is inconsistent with the current state of the Workitem.' },
    };
    if (isFinal(stateOf(item)) || changes['00741000'] !== undefined) return inconsistent;
    if (
      stateOf(item) === 'IN PROGRESS' &&
      (query !== item.transaction || changes['00081195']?.Value?.[0] !== item.transaction)
    )
      return inconsistent;
    item.dataset = { ...item.dataset, ...changes };
    return { status: 200 };
  }

  private changeState(item: StoredWorkitem, change: Dataset) {
    const wanted = String(change['00741000']?.Value?.[0]);
    const transaction = (change['00081195']?.Value?.[0] as string | undefined) ?? '';
    const state = stateOf(item);
    const refuse = (why: string) => ({ status: this.conflictStatus, headers: { warning: `299 ups: ${why}` } });
    if (transaction === '' || Object.keys(change).length !== 2) return refuse('The Transaction UID is missing.');
    if (!['IN PROGRESS', 'COMPLETED', 'CANCELED'].includes(wanted))
      return refuse('The submitted request is inconsistent with the state of the UPS Instance.');
    if (item.transaction !== null && transaction !== item.transaction)
      return refuse('The Transaction UID is incorrect.');
    if (wanted === state && isFinal(state))
      return { status: 200, headers: { warning: `299 ups: The UPS is already in the requested state of ${state}.` } };
    const allowed = wanted === 'IN PROGRESS' ? state === 'SCHEDULED' : state === 'IN PROGRESS';
    if (!allowed || (wanted === 'COMPLETED' && !meetsFinalState(item.dataset)))
      return refuse('The submitted request is inconsistent with the state of the UPS Instance.');
    item.transaction = transaction;
    item.dataset = { ...item.dataset, '00741000': { vr: 'CS', Value: [wanted] } };
    item.states.push(wanted);
    return { status: 200 };
  }
}

function stateOf({ dataset }: StoredWorkitem): string {
  return String(dataset['00741000']?.Value?.[0]);
}

function isFinal(state: string): boolean {
  return state === 'COMPLETED' || state === 'CANCELED';
}

function hasValue(element: Element | undefined): boolean {
  return (element?.Value ?? []).length > 0;
}

function meetsFinalState(dataset: Dataset): boolean {
  const performed = (dataset['00741216']?.Value ?? []) as Dataset[];
  return performed.length === 1 && performed.every((item) => COMPLETED_NEEDS.every((tag) => hasValue(item[tag])));
}
