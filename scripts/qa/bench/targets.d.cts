/** What was measured against what is wanted. */
export interface Target {
  readonly name: string;
  readonly kind?: string;
  readonly value: number;
  readonly sign: '<=' | '>=';
  readonly bound: number;
  readonly isReached: boolean;
}

type ByKind<T> = Readonly<Record<string, T>>;

/** What was not measured has no target. */
export function targetsOf(result: {
  readonly machine: { readonly cores: number };
  readonly ratios: ByKind<ByKind<number>>;
  readonly service: ByKind<{ readonly memoryMiB?: number; readonly loopDelayP99Seconds?: number }>;
  readonly latency?: { readonly service: { readonly p95Seconds: number } };
  readonly startUp?: Readonly<Record<'serve' | 'analyze', { readonly cpuSeconds: number }>>;
}): Target[];
export function soakTargetsOf(result: { readonly growth: number | undefined }): Target[];
export function catchUpTargetsOf(result: { readonly requests: number; readonly seconds: number }): Target[];
export function checkTargetsOf(result: {
  readonly ratios: Readonly<Record<string, Readonly<Record<string, number>>>>;
}): Target[];
