/** A tensor that a network gave. */
export interface Output {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** An input or output as the network itself names it; null is a size that it leaves open. */
export interface Port {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

/** A network that an engine has loaded. Each engine fits this in one file, and `session.ts` chooses. */
export interface Network {
  /** What runs it, with its version. */
  readonly engine: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * @param input one grey film, standardised, row by row. @returns the outputs that were asked for at opening, by name.
   */
  run(input: Float32Array): Promise<ReadonlyMap<string, Output>>;
  /** Tensors that the engine holds between two films; null where it does not tell. */
  heldTensors(): number | null;
  close(): Promise<void>;
}
