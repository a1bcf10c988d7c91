/** What one contender used for a number of films at once. */
export interface Block {
  readonly films: number;
  readonly wallSeconds: number;
  /** Seconds by part: contender, archive, broker. */
  readonly cpu: Readonly<Record<string, number>>;
  readonly memoryMiB: number;
  /** Of a contender that can be asked. */
  readonly responses?: Responses;
  readonly results: readonly { readonly parts: Readonly<Record<string, number>>; readonly decoder: string }[];
}

/** How soon a service answers while it works. */
export interface Responses {
  /** Event loop delay, 99th percentile. */
  readonly loopDelayP99Seconds: number;
  /** The longest answer of GET /health/live. */
  readonly longestHealthSeconds: number;
}

export interface Figures {
  readonly cpuSecondsPerFilm: number;
  readonly filmsPerSecond: number;
  readonly parts: Readonly<Record<string, number>>;
}

export interface NetworkTime {
  readonly threads: number;
  readonly cpuSecondsPerFilm: number;
}

type ByKind = Readonly<Record<string, { readonly cpuSecondsPerFilm: number; readonly filmsPerSecond: number }>>;

interface Latency {
  readonly p50Seconds: number;
  readonly p95Seconds: number;
  readonly studies: number;
}

export function means(rows: readonly Readonly<Record<string, number>>[]): Record<string, number>;
export function median(values: readonly number[]): number;
export function blockFigures(blocks: readonly Block[]): Figures & { readonly memoryMiB: number } & Partial<Responses>;
export function limitFigures(
  blocks: readonly Block[],
  networks: readonly NetworkTime[],
): Figures & { readonly decoders: readonly string[] };
export function networkFigures(rows: readonly NetworkTime[]): NetworkTime[];
export function latencyFigures(seconds: readonly number[]): Latency;
export function growthOf<Field extends string>(
  samples: readonly ({ readonly studies: number } & { readonly [name in Field]?: number | undefined })[],
  from: number,
  field: Field,
): number | undefined;
export function ratiosOf(measured: {
  readonly service: ByKind;
  readonly networks: readonly NetworkTime[];
  readonly limit?: ByKind;
  readonly serviceConcurrencyOne?: ByKind;
  readonly serviceTwoProcesses?: ByKind;
  readonly peer?: ByKind;
  readonly latency?: { readonly service: Latency; readonly peer?: Latency };
}): Readonly<Record<string, Readonly<Record<string, number>>>>;
