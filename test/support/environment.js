const { TestEnvironment } = require('jest-environment-node');

/**
 * Hands the host's typed arrays to the test realm: onnxruntime-node refuses arrays made by another realm's
 * constructors.
 */
module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of [
      'ArrayBuffer',
      'Float32Array',
      'Float64Array',
      'Uint8Array',
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Int32Array',
      'BigInt64Array',
    ])
      this.global[name] = globalThis[name];
  }
};
