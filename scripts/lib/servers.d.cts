import type { startChild } from './processes.cjs';

type Child = ReturnType<typeof startChild>;

/** A real RabbitMQ and a real Orthanc, on free loopback ports, ended with the process that started them. */
export interface Server {
  /** Of the server that runs now: another one after a restart. */
  readonly pid: number;
  /** Folder with configuration, data and logs. */
  readonly dir: string;
  /** File with all that the server has said. */
  readonly log: string;
  isRunning(): boolean;
  /** Resolves when the server that runs now has ended. */
  ended(): Promise<unknown>;
  /** SIGKILL, as a power cut; `start` brings it back with the same ports and data. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, and waits until it answers. */
  start(): Promise<void>;
  /** A clean stop where it runs, then `start`. */
  restart(): Promise<void>;
  /** A clean stop, for good. */
  stop(): Promise<void>;
}

export interface Rabbit extends Server {
  readonly amqpUrl: string;
  readonly port: number;
  /** Messages by queue, those that a consumer holds included, as `rabbitmqctl` tells. */
  queues(): Promise<Map<string, number>>;
  /** Runs rabbitmqctl on this broker and resolves to what it printed. @throws Error with what it complained of. */
  ctl(...args: string[]): Promise<string>;
}

export interface Orthanc extends Server {
  /** REST API, without a slash at its end. */
  readonly url: string;
  readonly dicomWebUrl: string;
  readonly port: number;
  readonly dicomPort: number;
  /** The server's own AE Title; it takes DICOM associations from the AE Title LOCAL at 127.0.0.1 only. */
  readonly aet: string;
}

export interface RabbitOptions {
  dir: string;
  /** A free one by default. */
  port?: number;
  /** RabbitMQ's advanced.config, in Erlang: what rabbitmq.conf has no key for. */
  advanced?: string;
  timeoutMs?: number;
}

export interface OrthancOptions {
  dir: string;
  /** Where the project's plug-in publishes study events. */
  amqpUrl?: string;
  /** Whether the project's plug-in is loaded; by default when `amqpUrl` is given. */
  plugin?: boolean;
  /** Asks for one of these names and passwords; nobody is asked by default. */
  users?: Record<string, string>;
  /** Seconds without news after which a study counts as stable; 1 by default. */
  stableAge?: number;
  /** More of Orthanc's own configuration; goes over what is made here. */
  config?: Record<string, unknown>;
  /** More environment variables. */
  env?: Record<string, string>;
  port?: number;
  dicomPort?: number;
  timeoutMs?: number;
}

/** A program that is a server once `probe` says so; each start makes another process. */
export function startServer(options: {
  /** In messages. */
  name: string;
  start: () => Child;
  probe: () => Promise<boolean>;
  timeoutMs?: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs?: number;
}): Promise<Omit<Server, 'dir'>>;
export function startRabbit(options: RabbitOptions): Promise<Rabbit>;
export function startOrthanc(options: OrthancOptions): Promise<Orthanc>;
/** A free loopback port, reserved for this process as long as it runs. */
export function freePort(): Promise<number>;
