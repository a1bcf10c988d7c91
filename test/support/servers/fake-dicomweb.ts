import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface FakeSeries {
  readonly modality: string;
  readonly instances: number;
}

/** How a server behaves; by default as PS3.18 says. */
export interface FakeBehaviour {
  /** Most rows of an answer, whatever is asked for. */
  readonly cap?: number;
  readonly ignoresOffset?: boolean;
  /** A greater limit is refused with 400. */
  readonly refusesAbove?: number;
  /** Without the numbers of related series and instances. */
  readonly isMute?: boolean;
  /** Answers before anything else; true where it has. */
  readonly first?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export const FAKE_STUDY = '1.2.3';
const element = (vr: string, ...values: unknown[]) => ({ vr, Value: values });

/** A small DICOMweb server with one study, for the ways in which servers answer. QIDO-RS only. */
export class FakeDicomWeb {
  /** Paths with their queries. */
  readonly requests: string[] = [];
  behaviour: FakeBehaviour = {};
  series: readonly FakeSeries[] = [];
  private readonly server: Server = createServer((request, response) => this.answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/dicom-web`;
  }

  reset(series: readonly FakeSeries[], behaviour: FakeBehaviour = {}): void {
    this.requests.length = 0;
    [this.series, this.behaviour] = [series, behaviour];
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const url = new URL(request.url ?? '', 'http://x');
    this.requests.push(`${url.pathname.replace('/dicom-web', '')}${url.search}`);
    if (this.behaviour.first?.(request, response) === true) return;
    const limit = Number(url.searchParams.get('limit'));
    const { refusesAbove = Infinity, cap = Infinity, ignoresOffset = false } = this.behaviour;
    if (limit > refusesAbove) return void response.writeHead(400).end();
    const offset = ignoresOffset ? 0 : Number(url.searchParams.get('offset') ?? 0);
    const rows = this.rows(url.pathname).slice(offset, offset + Math.min(limit, cap));
    response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(rows));
  }

  private rows(path: string): unknown[] {
    const [, wanted] = /\/series\/([\d.]+)\/instances$/.exec(path) ?? [];
    if (path.endsWith('/studies')) return this.series.length === 0 ? [] : [this.study()];
    if (path.endsWith('/series')) return this.series.map((series, n) => this.seriesRow(series, n));
    return this.series.flatMap((series, n) =>
      wanted === undefined || wanted === `${FAKE_STUDY}.${n}` ? instances(series, n) : [],
    );
  }

  private study(): unknown {
    const total = this.series.reduce((sum, { instances: of }) => sum + of, 0);
    return {
      '0020000D': element('UI', FAKE_STUDY),
      ...(this.behaviour.isMute
        ? {}
        : { '00201206': element('IS', this.series.length), '00201208': element('IS', total) }),
    };
  }

  private seriesRow({ modality, instances: of }: FakeSeries, n: number): unknown {
    return {
      '0020000E': element('UI', `${FAKE_STUDY}.${n}`),
      '00080060': element('CS', modality),
      ...(this.behaviour.isMute ? {} : { '00201209': element('IS', of) }),
    };
  }
}

function instances({ modality, instances: of }: FakeSeries, n: number): unknown[] {
  return Array.from({ length: of }, (_, i) => ({
    '00080016': element('UI', '1.2.840.10008.5.1.4.1.1.1'),
    '00080018': element('UI', `${FAKE_STUDY}.${n}.${i + 1}`),
    '00080060': element('CS', modality),
    '0020000E': element('UI', `${FAKE_STUDY}.${n}`),
  }));
}
