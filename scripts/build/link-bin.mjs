#!/usr/bin/env node
/** Last step of `npm run build`: makes `npx hilum` work inside the clone, and notes when the build was done. */
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../lib/shell.mjs';
import { BUILD_STAMP } from '../dev/install.mjs';

const target = path.join(ROOT, 'dist/cli.js');
const link = path.join(ROOT, 'node_modules/.bin/hilum');
if (fs.existsSync(target)) {
  fs.chmodSync(target, 0o755);
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.relative(path.dirname(link), target), link);
}
fs.writeFileSync(BUILD_STAMP, '');
