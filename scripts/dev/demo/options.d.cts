export const USAGE: string;

export interface DemoOptions {
  readonly films: string | undefined;
  readonly once: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/**
 * From the command line, and from where npm puts what it took for its own.
 * @throws Error with the usage for what is not known.
 */
export function readOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): DemoOptions;

/** The environment without the options that npm took. */
export function withoutTaken<T>(env: Readonly<Record<string, T>>): Record<string, T>;
