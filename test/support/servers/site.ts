import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../../src/app/app';
import type { LogEvent } from '../../../src/base/log';
import { type Config, parseConfig } from '../../../src/config/config';
import type { Uid } from '../../../src/dicom/uid';
import type { ResultEvent } from '../../../src/events/result-event';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../../src/objects/synthetic-film';
import { type Broker, connectBroker } from '../../../src/queue/broker';
import { type DeadLetter, processDeadLetters } from '../../../src/queue/dead-letters';
import { STUDY_ROUTING_KEY } from '../../../src/queue/topology';
import type { Pipeline } from '../../../src/pipeline/pipeline';
import { fakePipeline } from '../pipeline/fake-pipeline';
import { type RecordedLine, recordingLog } from '../records/logs';
import { FaultProxy } from './fault-proxy';
import { type Orthanc, type Rabbit, Servers, until } from './servers';

type Part<K extends keyof Config> = Partial<Config[K]>;

export interface WorkerOptions {
  readonly archive?: Part<'archive'>;
  readonly broker?: Part<'broker'>;
  readonly catchUp?: Part<'catchUp'>;
  /** As a configuration file has it. */
  readonly deliveries?: Record<string, unknown>;
  readonly list?: { readonly enabled: boolean; readonly database: string };
  readonly stateDir?: string;
  /** By default that of fakePipeline(). */
  readonly pipeline?: Pipeline;
}

/** The service in this process, as app.ts puts it together; only the networks are fake. */
export interface Worker {
  readonly log: { readonly lines: readonly RecordedLine[] };
  /** The log lines of an event. */
  lines(event: LogEvent): RecordedLine['fields'][];
  /** The first log line of an event about a study. */
  saw(event: LogEvent, study: string, timeoutMs?: number): Promise<RecordedLine['fields']>;
  get(path: '/health/ready' | '/metrics'): Promise<{ status: number; text: string }>;
  stop(): Promise<void>;
}

type Settings = {
  readonly orthanc?: Parameters<Servers['orthanc']>[0];
  readonly rabbit?: Parameters<Servers['rabbit']>[0];
  readonly user?: { readonly username: string; readonly password: string };
};

/** Shorter than by default, so that a test takes seconds, and long enough for a busy machine. */
const ARCHIVE = { connectTimeoutMs: 5_000, responseTimeoutMs: 10_000, storeTimeoutMs: 4_000, requestTimeoutMs: 20_000 };
const BROKER = { retryDelaysMs: [300], retryLimit: 60 };
/** Times that no site needs to set, and that are too long for tests by default. */
const INNER = { reconnect: { baseMs: 100, maxMs: 500 }, pauseMs: 300, publishTimeoutMs: 20_000 };

/** Seeds of films: no two tests of a file share a study. */
let seeds = 0;

/**
 * A small hospital: a real Orthanc behind the fault proxy, a real RabbitMQ, and workers. Each test has exchanges and
 * queues of its own.
 */
export class Site {
  rabbit!: Rabbit;
  orthanc!: Orthanc;
  proxy!: FaultProxy;
  private readonly servers = new Servers();
  private readonly workers: Worker[] = [];
  private readonly dir = mkdtempSync(join(tmpdir(), 'hilum-site-'));
  private broker!: Broker;
  private prefix = '';
  private tests = 0;

  private constructor(private readonly settings: Settings) {}

  /** For all tests of a file: it is there in the hooks that the file has after this line, and in its tests. */
  static forTests(settings: Settings = {}): Site {
    const site = new Site(settings);
    beforeAll(() => site.start(), 180_000);
    beforeEach(() => site.begin());
    afterEach(() => site.end());
    afterAll(() => site.close());
    return site;
  }

  static async open(): Promise<Site> {
    const site = new Site({});
    await site.start();
    return site;
  }

  private async start(): Promise<void> {
    const { orthanc, rabbit, user } = this.settings;
    const users = user === undefined ? {} : { users: { [user.username]: user.password } };
    [this.rabbit, this.orthanc] = await Promise.all([
      this.servers.rabbit(rabbit),
      this.servers.orthanc({ stableAge: 60, ...orthanc, ...users }),
    ]);
    this.proxy = await FaultProxy.open(this.orthanc.url);
  }

  /** Before each test. */
  async begin(): Promise<void> {
    this.prefix = `t${++this.tests}`;
    this.broker = connectBroker(
      { url: this.rabbit.amqpUrl, prefix: this.prefix, retryDelaysMs: BROKER.retryDelaysMs, ...INNER },
      recordingLog(),
    );
    await this.broker.ready(30_000);
    await this.broker.onChannel(async (channel) => {
      await channel.assertQueue(this.reader, { durable: true });
      await channel.bindQueue(this.reader, this.broker.topology.result.name, '#');
    });
  }

  /** After each test. */
  async end(): Promise<void> {
    for (const worker of this.workers.splice(0)) await worker.stop();
    await this.broker.stop(0);
    this.proxy.reset();
  }

  async close(): Promise<void> {
    await (this.proxy as FaultProxy | undefined)?.close();
    await this.servers.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private get reader(): string {
    return `${this.prefix}.reader`;
  }

  /** The configuration of a worker at this site, as a file would have it. */
  config({ archive, broker, catchUp, deliveries = {}, list, stateDir }: WorkerOptions = {}): Config {
    const { user } = this.settings;
    const auth = user === undefined ? ({ kind: 'none' } as const) : ({ kind: 'basic', ...user } as const);
    return parseConfig({
      archive: { url: this.proxy.dicomWebUrl, auth, ...ARCHIVE, ...archive },
      broker: { url: this.rabbit.amqpUrl, prefix: this.prefix, ...BROKER, ...broker },
      catchUp: { kind: 'off', ...catchUp },
      deliveries,
      ...(list && { list }),
      http: { port: 0 },
      state: { dir: stateDir ?? join(this.dir, this.prefix) },
      stopTimeoutMs: 5_000,
    });
  }

  async work(options: WorkerOptions = {}): Promise<Worker> {
    const log = recordingLog();
    const config = this.config(options);
    const app = await createApp(
      { ...config, broker: { ...config.broker, ...INNER } },
      log,
      options.pipeline ?? fakePipeline().pipeline,
    );
    const { port } = await app.start();
    const of = (event: LogEvent) => log.lines.map(({ fields }) => fields).filter((fields) => fields.event === event);
    let stopped: Promise<void> | undefined;
    const worker: Worker = {
      log,
      lines: of,
      saw: (event, study, timeoutMs = 45_000) =>
        until(
          () => `${event} of ${study} in ${JSON.stringify(log.lines.slice(-12))}`,
          () => of(event).find((fields) => fields['study'] === study),
          timeoutMs,
        ),
      get: async (path) => {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`);
        return { status: answer.status, text: await answer.text() };
      },
      stop: () => (stopped ??= app.stop()),
    };
    this.workers.push(worker);
    return worker;
  }

  /** Stores a new study in the archive, told to nobody. */
  async put(films = 1, more: Partial<SyntheticObject> = {}): Promise<Uid> {
    const seed = 1_000 * (process.pid % 10_000) + ++seeds;
    // Small: drawing takes most of a test's time.
    const drawn = Array.from({ length: films }, (_, index): SyntheticObject => ({
      seed,
      view: 'PA',
      rows: 64,
      columns: 56,
      instance: index + 1,
      ...more,
    }));
    for (const film of drawn) await this.ask('/instances', { method: 'POST', body: syntheticDicom(film) });
    return syntheticUids(drawn[0]!).studyInstanceUid;
  }

  /** Publishes a study event, confirmed and routed. */
  async tell(study: Uid, headers: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Promise<void> {
    const event = {
      schemaVersion: 1,
      type: 'study-stable',
      studyInstanceUid: study,
      source: { system: 'test' },
      occurredAt: new Date().toISOString(),
      ...more,
    };
    await this.broker.publish(this.broker.topology.study.name, STUDY_ROUTING_KEY, Buffer.from(JSON.stringify(event)), {
      mandatory: true,
      headers,
    });
  }

  /** Publishes a result event as a worker does, confirmed and routed. */
  async announce(event: ResultEvent): Promise<void> {
    await this.broker.announce(event);
  }

  /** Asks Orthanc itself, past the proxy. */
  async ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    const { user } = this.settings;
    const headers: Record<string, string> =
      user === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}` };
    const answer = await fetch(`${this.orthanc.url}${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`Orthanc answered ${answer.status} to ${path}`);
    return (await answer.json()) as T;
  }

  /** The modality of each instance that Orthanc has of a study, sorted. */
  async stored(study: Uid): Promise<string[]> {
    const series = await this.ask<{ MainDicomTags: { Modality: string }; Instances: string[] }[]>('/tools/find', {
      method: 'POST',
      body: JSON.stringify({ Level: 'Series', Expand: true, Query: { StudyInstanceUID: study } }),
    });
    return series.flatMap(({ MainDicomTags, Instances }) => Instances.map(() => MainDicomTags.Modality)).sort();
  }

  /** All result events so far, taken out of their queue. */
  async results(): Promise<ResultEvent[]> {
    await this.broker.ready(60_000);
    return this.broker.onChannel(async (channel) => {
      const events: ResultEvent[] = [];
      for (
        let message = await channel.get(this.reader, { noAck: true });
        message;
        message = await channel.get(this.reader, { noAck: true })
      )
        events.push(JSON.parse(message.content.toString('utf8')) as ResultEvent);
      return events;
    });
  }

  /** All dead letters; `replay` sends them to work again, as `hilum dead replay` does. */
  async dead(replay = false): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    await this.broker.ready(60_000);
    await processDeadLetters(this.broker, (letter) => (letters.push(letter), replay ? 'replay' : 'keep'));
    return letters;
  }

  /**
   * Messages in all queues of work, those of dead letters left out. Of a stopped worker nothing is in hand: what it had
   * not acknowledged counts.
   */
  async waiting(): Promise<number> {
    await this.broker.ready(60_000);
    const depths = await this.broker.depths();
    return Object.entries(depths).reduce((sum, [queue, messages]) => (queue === 'dead' ? sum : sum + messages), 0);
  }

  /** Until no message waits and no worker has one in hand, at two looks. */
  private async quiet(): Promise<void> {
    let looks = 0;
    await until(
      'all is quiet',
      async () => {
        looks = !this.workers.some(isBusy) && (await this.waiting()) === 0 ? looks + 1 : 0;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return looks > 1;
      },
      60_000,
    );
  }

  /**
   * Waits for the end of a study and checks it: one heat map and one report for each film, its message acknowledged, no
   * dead letter, a result event. It stops all workers. Resolves to the study's result events.
   */
  async expectOneSet(study: Uid, films = 1): Promise<ResultEvent[]> {
    const whole = [
      ...Array<string>(films).fill('CR'),
      ...Array<string>(films).fill('OT'),
      ...Array<string>(films).fill('SR'),
    ];
    const events: ResultEvent[] = [];
    await until(
      () =>
        `the result event of ${study}, its workers' last lines ` +
        JSON.stringify(this.workers.map(({ log }) => log.lines.slice(-12))),
      async () => {
        events.push(...(await this.results()).filter(({ studyInstanceUid }) => studyInstanceUid === study));
        return events.length > 0;
      },
      60_000,
    );
    await this.quiet();
    for (const worker of this.workers) await worker.stop();
    expect(await this.stored(study)).toEqual(whole);
    expect(await this.waiting()).toBe(0);
    expect(await this.dead()).toEqual([]);
    return events;
  }
}

/** Whether a study was received that has not come to an end. */
function isBusy(worker: Worker): boolean {
  const ends: LogEvent[] = ['study.done', 'study.nothing-new', 'study.retry', 'study.dead', 'study.returned'];
  return worker.lines('study.received').length > ends.reduce((sum, event) => sum + worker.lines(event).length, 0);
}
