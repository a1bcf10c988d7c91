/** An output tensor. */
export interface Output {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Name and shape of an input or output; null is a size that the network leaves open. */
export interface Port {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

/** A network loaded by an engine. Each engine implements it in one file, and `session.ts` chooses. */
export interface Network {
  /** Engine and its version. */
  readonly engine: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * @param input one standardised grey film, row by row
   * @returns the outputs that were asked for at opening, by name
   */
  run(input: Float32Array): Promise<ReadonlyMap<string, Output>>;
  /** Number of tensors that the engine holds between two films; null where it is unknown. */
  heldTensors(): number | null;
  close(): Promise<void>;
}
