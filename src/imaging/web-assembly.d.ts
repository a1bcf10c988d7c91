/** What row-kernel.ts uses of the WebAssembly JavaScript interface; Node's types leave it to those of browsers. */
declare namespace WebAssembly {
  class Memory {
    constructor(size: { initial: number });
    readonly buffer: ArrayBuffer;
    /** @param pages of 64 KiB */
    grow(pages: number): number;
  }
  const Module: new (bytes: Uint8Array) => object;
  class Instance {
    constructor(module: object, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
}
