#!/usr/bin/env node
/** `npx hilum`: the program where it is built; in a checkout that is not, what builds it. */
'use strict';
const { existsSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const program = path.join(root, 'dist/cli.js');
if (existsSync(program)) require(program);
else {
  process.stderr.write(`hilum: not built yet; this does it: cd ${root} && npm run setup\n`);
  process.exitCode = 1;
}
