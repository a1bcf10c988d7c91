/** The decoder thread as the tests run it: src/pipeline/decoder-worker.ts itself, compiled on the way, so that no build that is out of date is tested. */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { filename, sourceMaps: 'inline', jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs', ignoreDynamic: true } });
  module._compile(code, filename);
};
require(join(__dirname, '../../src/pipeline/decoder-worker.ts'));
